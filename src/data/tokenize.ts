/** Encoded examples -> a dataset ready to train on: labelled, truncated at max_length, split, packed, counted. */
import { TabtuneError } from '../base/errors';
import { sample } from '../base/random';
import { type DatasetSection, mixOf } from '../recipe/sections';
import { targetsOf } from './batches';
import type { EncodedDataset } from './encode-dataset';
import { exampleKey, togetherKey } from './example-kinds';
import { usualLength, wholeBuckets } from './lengths';
import { allTokensIn, type Encoded, tokensIn } from './loss-mask';
import { weighted } from './mix-weights';
import type { Counting, ObjectiveData } from './objective-data';
import { ProblemList } from './problems';
import type { Splittable } from './split';
import { splitWithoutLeaks } from './split-leaks';
import { countDuplicates, histogram, percentile } from './stats';
import { type DataProblem, type Example, exampleSides, type TokenizedDataset, type TokenizedExample } from './types';

/**
 * The limit in tokens. A given one is kept, but never exceeds the context. 'auto' is the longest example, so that no answer
 * is cut off while there is room. Long texts that are split anyway are split at TRL's default, or sooner if few are so long.
 */
export function resolveMaxLength(
  limit: number | 'auto',
  lengths: ArrayLike<number>,
  contextLength: number,
  longTexts: ObjectiveData['longTexts'] = 'truncated',
  memoryLength = Number.POSITIVE_INFINITY,
): number {
  if (limit !== 'auto') return Math.min(limit, contextLength);
  if (longTexts === 'split') return Math.min(usualLength(percentile(lengths, 0.95)), contextLength);
  return Math.min(wholeBuckets(percentile(lengths, 1)), contextLength, memoryLength);
}

/**
 * Drops examples with nothing left to learn. Examples are split before they are packed, so that no text is on both sides.
 * Throws bad_data if none is left. `memoryLength` is what fits in memory, if that is less than the context.
 */
export function finishDataset(
  given: EncodedDataset,
  section: DatasetSection,
  objective: ObjectiveData,
  contextLength: number,
  seed: number,
  memoryLength?: number,
): TokenizedDataset {
  const input = sampled(given, section.max_samples ?? null, seed);
  const problems = new ProblemList();
  problems.addAll(input.problems);
  const lengths = Int32Array.from(input.encoded, tokensIn);
  const maxLength = resolveMaxLength(section.max_length, lengths, contextLength, objective.longTexts, memoryLength);
  if (section.max_length !== 'auto' && section.max_length > contextLength) {
    problems.add({
      severity: 'warning',
      code: 'above_context',
      message: `The limit of ${section.max_length} tokens is more than the model can read (${contextLength}).`,
      action: `${contextLength} is used.`,
      dropped: false,
    });
  }
  const labelled = objective.label(input);
  problems.addAll(labelled.problems);

  const kept: Kept = {
    examples: [],
    pieces: [],
    keys: [],
    sides: [],
    splitKeys: [],
    places: [],
    strata: labelled.strata ? [] : undefined,
  };
  const { counts } = objective;
  const limits = { maxLength, packing: section.packing, contextLength };
  let truncated = 0;
  let tokens = 0;
  let targets = 0;
  input.encoded.forEach((encoded, i) => {
    tokens += allTokensIn(encoded);
    targets += countTrained(encoded, counts);
    const pieces = labelled.tokenize(encoded, i, limits);
    if (pieces === null) return;
    if (!Array.isArray(pieces)) {
      problems.add(pieces);
      return;
    }
    if (pieces.every((piece) => targetsOf(piece) === 0)) {
      problems.add(nothingIn(encoded, maxLength, counts));
      return;
    }
    // Two answers to one prompt are cut off at the same place.
    const gone = pieces.reduce((most, { truncatedBy }) => Math.max(most, truncatedBy), 0);
    if (gone > 0) {
      truncated++;
      // With 'auto' there is nothing to set; reported once below.
      if (section.max_length !== 'auto') problems.add(cutShort(encoded, gone, maxLength));
    }
    const example = input.examples[i]!;
    const key = exampleKey(example);
    kept.examples.push(example);
    kept.pieces.push(pieces);
    kept.places.push(i);
    kept.keys.push(key);
    kept.sides.push(example.split);
    kept.splitKeys.push(objective.splitKey?.(example) ?? togetherKey(example));
    kept.strata?.push(labelled.strata![i]!);
  });
  if (section.max_length === 'auto' && truncated > 0) {
    problems.add({
      severity: 'warning',
      code: 'truncated',
      message: `${truncated} of ${kept.keys.length} examples ${truncated === 1 ? 'is' : 'are'} longer than ${maxLength} tokens, ${maxLength === contextLength ? READABLE : IN_MEMORY}.`,
      action: 'Their ends are cut off. Shorten or split them, or set max_length to try more.',
      dropped: false,
    });
  }
  // Answers to one prompt: there is nothing to keep apart.
  if (new Set(kept.splitKeys).size === 1) kept.splitKeys = kept.keys;
  if (kept.keys.length === 0) throw nothingToLearn(input.name, problems.list(), maxLength, lengths);

  const split = splitWithoutLeaks(kept.examples, kept, section, seed, problems);
  if (section.validation_split > 0 && split.validation.length === 0) {
    problems.add({
      severity: 'warning',
      code: 'no_validation',
      message: section.validation_leaks === 'leave_out' ? ALL_LEAK : whyNoneHeld(kept),
      action: 'The run has no validation loss. Add different examples.',
      dropped: false,
    });
  }
  const weights = mixOf(section);
  const mixed = weights.length > 1 || weights[0]!.weight !== 1;
  const fromOf = (i: number) => kept.examples[i]!.from ?? 0;
  const learned = mixed
    ? weighted(
        split.train,
        fromOf,
        weights.map(({ weight }) => weight),
        seed,
      )
    : split.train;
  if (learned.length === 0) throw nothingOfTheMix(input.name);
  const rowsOf = (indices: readonly number[]) => Int32Array.from(indices, (i) => kept.examples[i]!.row);
  const sides = new Uint8Array(input.examples.length);
  for (const i of split.train) sides[kept.places[i]!] = exampleSides.indexOf('train');
  for (const i of split.validation) sides[kept.places[i]!] = exampleSides.indexOf('validation');
  const countsOf = (part: number) => {
    const count = (side: readonly number[]) => side.reduce((sum, i) => sum + (fromOf(i) === part ? 1 : 0), 0);
    return { train: count(split.train), validation: count(split.validation), perEpoch: count(learned) };
  };
  const side = (indices: number[]): TokenizedExample[] => {
    const pieces = indices.map((i) => kept.pieces[i]!);
    const rows = objective.arrange?.(pieces) ?? pieces.flat();
    const texts = rows.filter((row) => row.kind === 'next_token');
    if (!section.packing || !objective.pack || texts.length < rows.length) return rows;
    return objective.pack(texts, maxLength);
  };
  return {
    train: side(learned),
    validation: side(split.validation),
    rows: { train: rowsOf(split.train), validation: rowsOf(split.validation) },
    maxLength,
    task: labelled.task,
    byExample: { rows: Int32Array.from(input.examples, ({ row }) => row), tokens: lengths, sides },
    problems: problems.list(),
    stats: {
      examples: kept.keys.length,
      trainExamples: learned.length,
      validationExamples: split.validation.length,
      tokens,
      targetTokens: objective.targetTokens?.(targets) ?? targets,
      longest: lengths.reduce((a, b) => Math.max(a, b), 0),
      percentile95: percentile(lengths, 0.95),
      truncated,
      histogram: histogram(lengths),
      duplicates: countDuplicates(kept.keys),
      ...(mixed && { sources: weights.map((_, part) => countsOf(part)) }),
    },
  };
}

/**
 * So many of the examples, drawn from all that the file has: what is shown as a sample is what is trained on, less what the model
 * cannot read.
 */
function sampled(input: EncodedDataset, count: number | null, seed: number): EncodedDataset {
  if (count === null || count >= input.total) return input;
  const drawn = new Set(sample(input.total, count, seed));
  const kept = input.places.flatMap((place, i) => (drawn.has(place) ? [i] : []));
  return {
    ...input,
    examples: kept.map((i) => input.examples[i]!),
    encoded: kept.map((i) => input.encoded[i]!),
    places: kept.map((i) => input.places[i]!),
  };
}

function nothingOfTheMix(name: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: 'The weights of the mix are so small that an epoch has no example.',
    where: name,
    action: 'Raise a weight under dataset.mix: an epoch has weight × the training examples of each dataset.',
  });
}

const READABLE = 'the most that the model can read';
const IN_MEMORY = 'the most that is sure to fit in this GPU’s memory';

/** The examples that are trained on, each as one piece or several. */
interface Kept extends Splittable {
  examples: Example[];
  pieces: TokenizedExample[][];
  /** Where it is among the examples. */
  places: number[];
  /** Equal ones are duplicates. */
  keys: string[];
  sides: Example['split'][];
  splitKeys: string[];
  strata: string[] | undefined;
}

const ALL_LEAK = 'Every text or prompt that was held out is also trained on, and left out of validation.';

function whyNoneHeld({ keys, strata }: Kept): string {
  if (keys.length === 1) return 'There is one example, too few to hold some out.';
  return strata && new Set(strata).size === keys.length
    ? 'Every label occurs once: an example that is held out would be of a class that is never seen.'
    : 'The examples are copies of each other: none can be held out.';
}

/** Targets before truncation. */
function countTrained({ trained, rejected }: Encoded, counts: Counting): number {
  if (counts === 'rows') return 1;
  // Nothing predicts the first token of an answer to no prompt.
  let count = rejected ? rejected.ids.length - Math.max(counts === 'shifted' ? 1 : 0, rejected.promptLength) : 0;
  for (let i = counts === 'shifted' ? 1 : 0; i < trained.length; i++) count += trained[i]!;
  return count;
}

function nothingIn(encoded: Encoded, maxLength: number, counts: Counting): DataProblem {
  const { row } = encoded;
  const never = counts === 'rows' || countTrained(encoded, counts) === 0;
  const message =
    counts !== 'shifted'
      ? `Row ${row} has nothing to learn from: no tokens are left once it is formatted for this model.`
      : never
        ? `Row ${row} has nothing to learn from: no tokens of an answer are left once it is formatted for this model.`
        : `Row ${row} has ${tokensIn(encoded)} tokens, and its answer begins after the limit of ${maxLength}.`;
  return {
    severity: 'error',
    code: 'all_labels_masked',
    row,
    message,
    action: never ? 'It was left out.' : 'It was left out. Raise max_length or shorten the prompt.',
    dropped: true,
  };
}

function cutShort(encoded: Encoded, gone: number, maxLength: number): DataProblem {
  const { row, rejected } = encoded;
  const longer = rejected ? ' with the longer of its answers' : '';
  return {
    severity: 'warning',
    code: 'truncated',
    row,
    message: `Row ${row} has ${tokensIn(encoded)} tokens${longer}, ${gone} more than the limit of ${maxLength}.`,
    action: `Its last ${gone} tokens are cut off. Raise max_length or shorten the text to keep them.`,
    dropped: false,
  };
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
