/**
 * One encoded example -> what is trained on: the labels of an objective, and the tokens that fit. Special tokens that stand
 * around a text stay around what is kept of it.
 */
import type { ObjectiveSection, ObjectiveType } from '../recipe/types';
import { IGNORE } from './batches';
import type { Encoded } from './encode';
import { piecesOf } from './packing';
import { excerpt } from './problems';
import { classify, sortLabels } from './task';
import { exampleKey } from './to-examples';
import type { DataProblem, Example, HiddenTokensExample, NextTokenExample, TaskData, TokenizedExample } from './types';

/** What the objective makes of a dataset's labels. */
export interface Labelling {
  task: TaskData | null;
  /** Labels of the tokens of example i, before any cutting. */
  labels(encoded: Encoded, i: number): Int32Array;
  classes(i: number): Float32Array | undefined;
  /** Its label cannot be used, which `problems` says. */
  unusable(i: number): boolean;
  /** Classes that a split keeps even. */
  strata: string[] | undefined;
  problems: DataProblem[];
}

const PLAIN: Labelling = {
  task: null,
  labels: ({ ids, trained }) => ids.map((id, i) => (trained[i] === 1 ? id : IGNORE)),
  classes: () => undefined,
  unusable: () => false,
  strata: undefined,
  problems: [],
};

interface LabelledExamples {
  /** Of the dataset. */
  name: string;
  examples: readonly Example[];
  /** The column that labels are in; names a number to predict. */
  labelColumn: string;
}

/** Throws bad_data when there is nothing to tell apart. */
export function labellingOf({ name, examples, labelColumn }: LabelledExamples, objective: ObjectiveSection): Labelling {
  switch (objective.type) {
    case 'sequence_classification': {
      const labelled = examples.filter((e) => e.kind === 'labelled');
      const { task, classes, strata, problems } = classify(name, labelled, objective.problem_type, labelColumn);
      return {
        task,
        labels: ({ ids }) => new Int32Array(ids.length).fill(IGNORE),
        classes: (i) => classes[i] ?? undefined,
        unusable: (i) => classes[i] === null,
        strata,
        problems: [...problems, ...contradictions(labelled)],
      };
    }
    case 'token_classification': {
      const tagged = examples.filter((e) => e.kind === 'tagged');
      const labels = sortLabels(tagged.flatMap((e) => e.tags));
      const numbers = new Map(labels.map((label, n) => [label, n]));
      return {
        ...PLAIN,
        task: { problemType: 'token_classification', labels },
        labels: ({ trained, words }, i) =>
          Int32Array.from(words!, (word, at) => (trained[at] === 1 ? numbers.get(tagged[i]!.tags[word]!)! : IGNORE)),
      };
    }
    default:
      return PLAIN;
  }
}

/** Texts that stand in the data with different labels: whichever is right, the other teaches the opposite. */
function contradictions(examples: readonly Extract<Example, { kind: 'labelled' }>[]): DataProblem[] {
  const seen = new Map<string, Example>();
  return examples.flatMap((example) => {
    const before = seen.get(example.text);
    if (!before) seen.set(example.text, example);
    if (!before || exampleKey(before) === exampleKey(example)) return [];
    return {
      severity: 'warning',
      code: 'contradicting_labels',
      row: example.row,
      message: `Row ${example.row} has the text of row ${before.row} (“${excerpt(example.text, 40)}”) and another label.`,
      action: 'Both were kept. Decide for one of them, or give the row several labels.',
      dropped: false,
    };
  });
}

/** What stays on one side of the split: the same text, whatever its label. */
export function splitKeyOf(example: Example, objective: ObjectiveType): string {
  if (objective === 'sequence_classification' && example.kind === 'labelled') return example.text;
  if (objective === 'token_classification' && example.kind === 'tagged') return JSON.stringify(example.tokens);
  return exampleKey(example);
}

/**
 * What is trained on of an example: one cut piece, or for texts that are learned as such as many as it takes. A text that
 * will be packed end to end stays whole.
 */
export function fitted(
  encoded: Encoded,
  i: number,
  labelling: Labelling,
  objective: ObjectiveType,
  packing: boolean,
  maxLength: number,
): TokenizedExample[] {
  const { row } = encoded;
  switch (objective) {
    case 'masked_lm':
      return maskedPieces(encoded, maxLength);
    case 'pretraining': {
      const labels = labelling.labels(encoded, i);
      const ids = encoded.ids.slice();
      const whole: NextTokenExample = { kind: 'next_token', row, ids, labels, starts: null, truncatedBy: 0 };
      return packing ? [whole] : piecesOf(whole, maxLength);
    }
  }
  const keep = keeper(encoded, maxLength);
  const ids = keep(encoded.ids);
  const kept = { row, ids, truncatedBy: encoded.ids.length - ids.length };
  switch (objective) {
    case 'sft':
      return [{ kind: 'next_token', ...kept, labels: keep(labelling.labels(encoded, i)), starts: null }];
    case 'token_classification':
      return [{ kind: 'token_labels', ...kept, labels: keep(labelling.labels(encoded, i)) }];
    case 'sequence_classification': {
      const targets = labelling.classes(i);
      // Special tokens alone say nothing.
      const empty = encoded.ids.length <= (encoded.before ?? 0) + (encoded.behind ?? 0);
      return empty || !targets ? [] : [{ kind: 'text_targets', ...kept, targets }];
    }
  }
}

interface Text {
  ids: Int32Array;
  /** Special tokens at its beginning and end. */
  before?: number;
  behind?: number;
  words?: Int32Array;
}

/** The tokens of a text that fit beside its special ones; at least one. */
const room = ({ before = 0, behind = 0 }: Text, maxLength: number) => Math.max(1, maxLength - before - behind);

const lastOf = (values: Int32Array, count: number) => values.subarray(values.length - count);

/** What stays of a text's values when its end is cut, but not what stands around it. */
function keeper(text: Text, maxLength: number): (values: Int32Array) => Int32Array {
  // slice, not subarray: the arrays are sent to another worker, and a view would take its whole buffer along.
  if (text.ids.length <= maxLength) return (values) => values.slice();
  const { before = 0, behind = 0 } = text;
  const end = before + room(text, maxLength);
  return (values) => {
    const kept = new Int32Array(end + behind);
    kept.set(values.subarray(0, end));
    kept.set(lastOf(values, behind), end);
    return kept;
  };
}

/** A text to be classified, cut as the examples were. */
export function cutAround(text: Text, maxLength: number): { ids: Int32Array; words: Int32Array | null } {
  const keep = keeper(text, maxLength);
  return { ids: keep(text.ids), words: text.words ? keep(text.words) : null };
}

/** Pieces of a text, each between the special tokens. */
function maskedPieces(encoded: Encoded, maxLength: number): HiddenTokensExample[] {
  const { row, ids, before = 0, behind = 0 } = encoded;
  const body = ids.length - before - behind;
  const size = room(encoded, maxLength);
  const pieces: HiddenTokensExample[] = [];
  for (let from = 0; from < body; from += size) {
    const span = ids.subarray(before + from, before + Math.min(body, from + size));
    const kept = Int32Array.from([...ids.subarray(0, before), ...span, ...lastOf(ids, behind)]);
    const special = new Uint8Array(kept.length).fill(1, 0, before);
    special.fill(1, kept.length - behind);
    pieces.push({ kind: 'hidden_tokens', row, ids: kept, truncatedBy: 0, special });
  }
  return pieces;
}
