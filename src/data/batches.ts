/**
 * Examples -> padded micro-batches, as a pure function of the optimiser step (schedule.ts), so that a resumed run sees the
 * batches that an uninterrupted one would have seen.
 */
import { TabtuneError } from '../base/errors';
import type { ObjectiveType } from '../recipe/types';
import { type ScheduleOptions, schedule } from './schedule';
import type { Batch, BatchSource, TokenizedExample } from './types';

/** The label that no loss is taken of: Hugging Face's ignore_index. */
export const IGNORE = -100;

/**
 * What the loss of an objective is a mean over. `shifted`: labels that are predicted from the token before; `labelled`: all
 * labels that are not -100, which for masked language modelling are the tokens that may be hidden; `rows`: texts.
 */
export type Counting = 'shifted' | 'labelled' | 'rows';

export function countingOf(objective: ObjectiveType): Counting {
  switch (objective) {
    case 'sft':
    case 'pretraining':
      return 'shifted';
    case 'token_classification':
    case 'masked_lm':
      return 'labelled';
    case 'sequence_classification':
      return 'rows';
  }
  objective satisfies never;
}

/** Pieces of base text that stand in for that share of the rows of training. */
export interface Replay<E> {
  examples: readonly E[];
  /** replay_ratio, 0 ≤ x ≤ 1 */
  ratio: number;
}

export interface BatchOptions extends ScheduleOptions {
  padTokenId: number;
  /** Lengths are padded to a multiple of this; `bucketFor` of the longest example when absent. */
  bucket?: number;
  /** What `targetTokens` counts; next tokens when absent. */
  countsOf?: Counting;
  replay?: Replay<TokenizedExample>;
}

/**
 * Tokens that lengths are rounded up to. Every distinct shape costs the GPU new buffers and recorded steps, and every
 * padded token costs work: 32 gives at most 32 shapes up to 1024 tokens; short texts take finer steps.
 */
export function bucketFor(maxLength: number): number {
  return maxLength < 128 ? 16 : 32;
}

/** Tokens of a row that are computed for examples of these lengths. */
const padded = (longest: number, bucket: number) => Math.max(bucket, Math.ceil(longest / bucket) * bucket);

const longestOf = <E>(tokensOf: (example: E) => number, ...lists: (readonly E[])[]): number =>
  lists.reduce((most, list) => list.reduce((longest, example) => Math.max(longest, tokensOf(example)), most), 0);

/** The examples of each micro-batch of a step. */
function picker<E>(train: readonly E[], options: ScheduleOptions, replay: Replay<E> | undefined) {
  const { stepsPerEpoch, batchesOf } = schedule(
    train.length,
    options,
    replay && { count: replay.examples.length, ratio: replay.ratio },
  );
  const exampleOf = (p: { replayed: boolean; index: number }) =>
    p.replayed ? replay!.examples[p.index]! : train[p.index]!;
  return { stepsPerEpoch, examplesOf: (step: number) => batchesOf(step).map((picks) => picks.map(exampleOf)) };
}

export function createBatchSource(
  train: readonly TokenizedExample[],
  validation: readonly TokenizedExample[],
  options: BatchOptions,
): BatchSource {
  const { batchSize, padTokenId, replay, countsOf = 'shifted' } = options;
  const bucket =
    options.bucket ?? bucketFor(longestOf(({ ids }) => ids.length, train, validation, replay?.examples ?? []));
  const pad = (rows: TokenizedExample[]) => padBatch(rows, padTokenId, bucket, countsOf);
  const { stepsPerEpoch, examplesOf } = picker(train, options, replay);
  return {
    stepsPerEpoch,
    microBatches: (step) => examplesOf(step).map(pad),
    evaluation() {
      const batches: Batch[] = [];
      for (let i = 0; i < validation.length; i += batchSize) batches.push(pad(validation.slice(i, i + batchSize)));
      return batches;
    },
  };
}

/** An example as far as memory goes: its tokens, and those that a loss is taken of. */
export interface ExampleSize {
  tokens: number;
  targets: number;
}

/** What is computed at once: rows × length tokens, padding included, and how many of them have a target. */
export interface BatchShape {
  rows: number;
  length: number;
  targets: number;
}

/** More never matter: the widest come first, and a run of very many shapes is one of short texts. */
const MAX_SHAPES = 32;
/** Micro-batches that are looked through. */
const MAX_LOOKED_AT = 20_000;

/** The shapes of the batches that createBatchSource would make over so many steps, each once, the widest first. */
export function batchShapes(
  train: readonly ExampleSize[],
  validation: readonly ExampleSize[],
  options: ScheduleOptions & { steps: number; replay?: Replay<ExampleSize> },
): { training: BatchShape[]; evaluation: BatchShape[] } {
  const { batchSize, accumulation, replay } = options;
  const tokensOf = ({ tokens }: ExampleSize) => tokens;
  const bucket = bucketFor(longestOf(tokensOf, train, validation, replay?.examples ?? []));
  const collect = () => {
    const found = new Map<string, BatchShape>();
    const add = (sizes: ExampleSize[]) => {
      const rows = sizes.length;
      const length = padded(longestOf(tokensOf, sizes), bucket);
      const targets = sizes.reduce((sum, size) => sum + size.targets, 0);
      // Rows with a target are padded to quarters of the batch.
      const key = `${rows} ${length} ${Math.ceil((4 * targets) / (rows * length))}`;
      const before = found.get(key);
      if (!before || before.targets < targets) found.set(key, { rows, length, targets });
    };
    const widest = () =>
      [...found.values()].sort((a, b) => b.rows * b.length - a.rows * a.length || b.targets - a.targets);
    return { add, list: () => widest().slice(0, MAX_SHAPES) };
  };
  const training = collect();
  const { examplesOf } = picker(train, options, replay);
  const steps = Math.min(options.steps, Math.ceil(MAX_LOOKED_AT / accumulation));
  for (let step = 0; step < steps; step++) for (const sizes of examplesOf(step)) training.add(sizes);
  const evaluation = collect();
  for (let i = 0; i < validation.length; i += batchSize) evaluation.add(validation.slice(i, i + batchSize));
  return { training: training.list(), evaluation: evaluation.list() };
}

function padBatch(rows: readonly TokenizedExample[], padTokenId: number, bucket: number, counting: Counting): Batch {
  const batchSize = rows.length;
  const lengths = Int32Array.from(rows, (row) => row.ids.length);
  const length = padded(Math.max(...lengths), bucket);
  const ids = new Int32Array(batchSize * length).fill(padTokenId);
  const labels = new Int32Array(batchSize * length).fill(IGNORE);
  let targetTokens = 0;
  rows.forEach((row, r) => {
    ids.set(row.ids, r * length);
    labels.set(row.labels, r * length);
    targetTokens += targetsOf(row, counting);
  });
  const batch: Batch = { batchSize, length, ids, labels, lengths, targetTokens };
  if (rows.some((row) => row.starts)) batch.starts = paddedStarts(rows, length);
  if (rows.some((row) => row.special)) batch.special = paddedSpecial(rows, length);
  if (rows.some((row) => row.classes)) batch.classes = joinedClasses(rows);
  return batch;
}

/** A row that is one text starts at 0; padding at itself, so that its positions are 0. */
function paddedStarts(rows: readonly TokenizedExample[], length: number): Int32Array {
  const starts = Int32Array.from({ length: rows.length * length }, (_, i) => i % length);
  rows.forEach(({ ids, starts: given }, r) => {
    starts.set(given ?? new Int32Array(ids.length), r * length);
  });
  return starts;
}

function paddedSpecial(rows: readonly TokenizedExample[], length: number): Uint8Array {
  const special = new Uint8Array(rows.length * length).fill(1);
  rows.forEach(({ ids, special: given }, r) => {
    special.set(given ?? new Uint8Array(ids.length), r * length);
  });
  return special;
}

function joinedClasses(rows: readonly TokenizedExample[]): Float32Array {
  const width = rows[0]!.classes?.length ?? 0;
  if (width === 0 || rows.some(({ classes }) => classes?.length !== width)) {
    throw new TabtuneError({
      code: 'internal',
      message: 'Rows with a class and rows without one are in one batch.',
      action: 'Switch replay off: text without labels cannot stand in for labelled examples.',
    });
  }
  const classes = new Float32Array(rows.length * width);
  rows.forEach((row, r) => {
    classes.set(row.classes!, r * width);
  });
  return classes;
}

/** What an example adds to what the loss is a mean over. */
export function targetsOf({ labels }: Pick<TokenizedExample, 'labels'>, counting: Counting): number {
  if (counting === 'rows') return 1;
  if (counting === 'shifted') return countTargets(labels);
  let count = 0;
  for (const label of labels) if (label !== IGNORE) count++;
  return count;
}

/** Labels that count after the shift: the one at position 0 is predicted by nothing. */
export function countTargets(labels: Int32Array): number {
  let count = 0;
  for (let i = 1; i < labels.length; i++) if (labels[i] !== IGNORE) count++;
  return count;
}
