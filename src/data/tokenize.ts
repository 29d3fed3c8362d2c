/** Encoded examples -> a dataset ready to train on: cut at max_length, masked, split, counted. */
import { TabtuneError } from '../base/errors';
import type { DatasetSection } from '../recipe/types';
import { bucketFor, countTargets, IGNORE } from './batches';
import type { Encoded } from './encode';
import { ProblemList } from './problems';
import { splitExamples } from './split';
import { countDuplicates, histogram, percentile } from './stats';
import type { DataProblem, TokenizedDataset, TokenizedExample } from './types';

/** TRL's default limit. */
export const AUTO_MAX_LENGTH = 1024;

/**
 * The limit in tokens. 'auto': the 95th percentile of the lengths, rounded up to a whole bucket, at most 1024 and the
 * model's context. A limit given by hand is kept, but never exceeds the context.
 */
export function resolveMaxLength(limit: number | 'auto', lengths: ArrayLike<number>, contextLength: number): number {
  if (limit !== 'auto') return Math.min(limit, contextLength);
  const wanted = percentile(lengths, 0.95);
  const bucket = bucketFor(wanted);
  return Math.min(Math.max(bucket, Math.ceil(wanted / bucket) * bucket), AUTO_MAX_LENGTH, contextLength);
}

export interface DatasetInput {
  name: string;
  encoded: readonly Encoded[];
  /** Content keys in the order of `encoded`: equal ones are duplicates. */
  keys: readonly string[];
  /** Problems met while rendering and encoding. */
  problems: readonly DataProblem[];
}

/**
 * Cuts from the right, as TRL does, and drops examples with nothing left to learn.
 * Throws bad_data when none is left.
 */
export function finishDataset(
  input: DatasetInput,
  section: DatasetSection,
  contextLength: number,
  seed: number,
): TokenizedDataset {
  const problems = new ProblemList();
  problems.addAll(input.problems);
  const lengths = Int32Array.from(input.encoded, (e) => e.ids.length);
  const maxLength = resolveMaxLength(section.max_length, lengths, contextLength);
  if (section.max_length !== 'auto' && section.max_length > contextLength) {
    problems.add({
      severity: 'warning',
      code: 'above_context',
      message: `The limit of ${section.max_length} tokens is more than the model can read (${contextLength}).`,
      action: `${contextLength} is used.`,
      dropped: false,
    });
  }

  const kept: TokenizedExample[] = [];
  const keys: string[] = [];
  let truncated = 0;
  let tokens = 0;
  let targetTokens = 0;
  input.encoded.forEach((encoded, i) => {
    const { row, ids, trained } = encoded;
    tokens += ids.length;
    targetTokens += countTrained(trained, ids.length);
    const example = cut(encoded, maxLength);
    const gone = ids.length - example.ids.length;
    if (countTargets(example.labels) === 0) {
      const never = countTrained(trained, ids.length) === 0;
      problems.add({
        severity: 'error',
        code: 'all_labels_masked',
        row,
        message: never
          ? `Row ${row} has nothing to learn from: no token of an answer is left when it is written for this model.`
          : `Row ${row} has ${ids.length} tokens, and its answer begins after the limit of ${maxLength}.`,
        action: never ? 'It was left out.' : 'It was left out. Raise max_length or shorten the prompt.',
        dropped: true,
      });
      return;
    }
    if (gone > 0) {
      truncated++;
      // With 'auto' one row in twenty is longer by design; told once below.
      if (section.max_length !== 'auto') {
        problems.add({
          severity: 'warning',
          code: 'truncated',
          row,
          message: `Row ${row} has ${ids.length} tokens, ${gone} more than the limit of ${maxLength}.`,
          action: `Its last ${gone} tokens are cut off. Raise max_length or shorten the text to keep them.`,
          dropped: false,
        });
      }
    }
    kept.push(example);
    keys.push(input.keys[i]!);
  });
  if (section.max_length === 'auto' && truncated > 0) {
    problems.add({
      severity: 'warning',
      code: 'truncated',
      message: `${truncated} of ${kept.length} examples ${truncated === 1 ? 'is' : 'are'} longer than ${maxLength} tokens.`,
      action: 'Their ends are cut off. Set max_length to keep them; longer examples need more memory.',
      dropped: false,
    });
  }
  if (kept.length === 0) throw nothingToLearn(input.name, problems.list(), maxLength, lengths);

  const split = splitExamples(keys, section.validation_split, seed, section.shuffle);
  if (section.validation_split > 0 && split.validation.length === 0) {
    problems.add({
      severity: 'warning',
      code: 'no_validation',
      message:
        kept.length === 1
          ? 'There is one example, too few to hold some out.'
          : 'The examples are copies of each other: none can be held out.',
      action: 'The run has no validation loss. Add different examples.',
      dropped: false,
    });
  }
  return {
    train: split.train.map((i) => kept[i]!),
    validation: split.validation.map((i) => kept[i]!),
    maxLength,
    task: null,
    problems: problems.list(),
    stats: {
      examples: kept.length,
      trainExamples: split.train.length,
      validationExamples: split.validation.length,
      tokens,
      targetTokens,
      longest: lengths.reduce((a, b) => Math.max(a, b), 0),
      percentile95: percentile(lengths, 0.95),
      truncated,
      histogram: histogram(lengths),
      duplicates: countDuplicates(keys),
    },
  };
}

/** Tokens that count after the shift among the first `length`. */
function countTrained(trained: Uint8Array, length: number): number {
  let count = 0;
  for (let i = 1; i < length; i++) count += trained[i]!;
  return count;
}

function cut({ row, ids, trained }: Encoded, maxLength: number): TokenizedExample {
  const length = Math.min(ids.length, maxLength);
  // slice, not subarray: the arrays are sent to another worker, and a view would take its whole buffer along.
  const kept = ids.slice(0, length);
  const labels = new Int32Array(length);
  for (let i = 0; i < length; i++) labels[i] = trained[i] === 1 ? ids[i]! : IGNORE;
  return { row, ids: kept, labels, truncatedBy: ids.length - length };
}

function nothingToLearn(name: string, problems: DataProblem[], maxLength: number, lengths: Int32Array): TabtuneError {
  const first = problems.find((p) => p.dropped);
  return new TabtuneError({
    code: 'bad_data',
    message: `No example is left to train on.${first ? ` ${first.message}` : ''}`,
    where: first?.row === undefined ? name : `${name}, row ${first.row}`,
    action:
      first?.code === 'all_labels_masked' && lengths.some((n) => n > maxLength)
        ? `Raise max_length (${maxLength}) or shorten the prompts.`
        : (first?.action ?? 'Choose another dataset or model.'),
    details: `${lengths.length} examples, the longest has ${lengths.reduce((a, b) => Math.max(a, b), 0)} tokens, the limit is ${maxLength}.`,
  });
}
