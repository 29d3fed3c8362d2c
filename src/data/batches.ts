/**
 * Examples -> padded micro-batches, as a pure function of the optimiser step (schedule.ts), so that a resumed run sees
 * the batches that an uninterrupted one would have seen.
 */

import { TabtuneError } from '../base/errors';
import { IGNORE_INDEX } from '../base/ignore-index';
import type { DatasetSection, TrainingSection } from '../recipe/sections';
import type { Steps } from './near-duplicates';
import {
  comparedSize,
  type ExampleSize,
  judgedBatch,
  longestSequence,
  pairBatch,
  tokensOf,
} from './preference-batches';
import { type ScheduleOptions, schedule } from './schedule';
import type {
  Batch,
  BatchSource,
  HiddenTokensExample,
  NextTokenExample,
  TextTargetsBatch,
  TextTargetsExample,
  TokenizedExample,
} from './types';

/** Pieces of base text that replace a share of the training rows. */
export interface Replay<E> {
  examples: readonly E[];
  /** replay_ratio, 0 ≤ x ≤ 1 */
  ratio: number;
}

/** What decides which examples a step takes, and in which batches. */
export interface StepOptions extends ScheduleOptions {
  pace?: Pace | null;
  /**
   * So many micro-batches of a step go through the model at once: the same rows and the same mean over their targets in fewer
   * dispatches. Micro-batches that would be padded much longer stay apart. 1 by default.
   */
  together?: number;
}

export interface BatchOptions extends StepOptions {
  padTokenId: number;
  /** Lengths are padded to a multiple of this; `bucketFor` of the longest example when absent. */
  bucket?: number;
  replay?: Replay<TokenizedExample>;
}

/** So many examples at once, as one batch, for so many steps; instead of `accumulation` micro-batches a step. */
interface Pace {
  examples: number;
  steps: number;
}

/**
 * Lengths are rounded up to a multiple of this. Every distinct shape costs new buffers and recorded steps, and every
 * padded token costs work: 32 gives at most 32 shapes up to 1024 tokens; short texts use finer steps.
 */
export function bucketFor(maxLength: number): number {
  return maxLength < 128 ? 16 : 32;
}

/** Padded length of a row whose longest example has so many tokens. */
const padded = (longest: number, bucket: number) => Math.max(bucket, Math.ceil(longest / bucket) * bucket);

const longestOf = <E>(tokensOf: (example: E) => number, ...lists: (readonly E[])[]): number =>
  lists.reduce((most, list) => list.reduce((longest, example) => Math.max(longest, tokensOf(example)), most), 0);

/** Kinds of examples whose loss is a sum over their own targets, whichever other rows they are in a batch with. */
const ADDITIVE: readonly TokenizedExample['kind'][] = ['next_token', 'token_labels', 'text_targets', 'hidden_tokens'];

/** Whether micro-batches of these examples may be taken together. */
export const isAdditive = (examples: readonly TokenizedExample[]): boolean =>
  examples.every(({ kind }) => ADDITIVE.includes(kind));

/** Joined micro-batches have at most this many times the padded tokens that they have apart. */
const MOST_PADDING = 1.25;

/** Neighbouring micro-batches, up to `together` of them, as one, where little is padded for it. */
function joined<E>(groups: E[][], together: number, tokensIn: (group: E[]) => number): E[][] {
  if (together === 1) return groups;
  const result: E[][] = [];
  for (let from = 0; from < groups.length; ) {
    let count = Math.min(together, groups.length - from);
    const apart = (n: number) => groups.slice(from, from + n).reduce((sum, group) => sum + tokensIn(group), 0);
    while (count > 1 && tokensIn(groups.slice(from, from + count).flat()) > MOST_PADDING * apart(count)) {
      count = Math.ceil(count / 2);
    }
    result.push(groups.slice(from, from + count).flat());
    from += count;
  }
  return result;
}

/** The examples of each micro-batch of a step. */
function picker<E>(train: readonly E[], options: StepOptions, replay: Replay<E> | undefined) {
  const { examples, steps = 1 } = options.pace ?? {};
  const together = examples ? { batchSize: examples, accumulation: 1 } : {};
  const { stepsPerEpoch, batchesOf } = schedule(
    train.length,
    { ...options, ...together },
    replay && { count: replay.examples.length, ratio: replay.ratio },
  );
  const exampleOf = (p: { replayed: boolean; index: number }) =>
    p.replayed ? replay!.examples[p.index]! : train[p.index]!;
  return {
    stepsPerEpoch: stepsPerEpoch * steps,
    examplesOf: (step: number) => batchesOf(Math.floor(step / steps)).map((picks) => picks.map(exampleOf)),
  };
}

/** What a recipe says of its steps; `pace` is its objective's. */
export const stepOptions = (
  { training, dataset }: { training: TrainingSection; dataset: Pick<DatasetSection, 'shuffle'> },
  pace: Pace | null,
): StepOptions => ({
  batchSize: training.per_device_train_batch_size,
  accumulation: training.gradient_accumulation_steps,
  shuffle: dataset.shuffle,
  seed: training.seed,
  pace,
});

/** The rows of each step as `createBatchSource` takes them: indices of training examples, and behind those of replayed pieces. */
export function stepRows(
  train: number,
  options: StepOptions,
  replay?: { count: number; ratio: number },
): { stepsPerEpoch: number; microBatches(step: number): number[][] } {
  const places = (count: number, from: number) => Array.from({ length: count }, (_, i) => from + i);
  const { stepsPerEpoch, examplesOf } = picker(
    places(train, 0),
    options,
    replay && { examples: places(replay.count, train), ratio: replay.ratio },
  );
  return { stepsPerEpoch, microBatches: examplesOf };
}

/** The padded length of a micro-batch of these examples, among all of a run. */
export function paddedLengthIn(...lists: readonly (readonly TokenizedExample[])[]) {
  const bucket = bucketFor(longestOf(tokensOf, ...lists));
  return (examples: readonly TokenizedExample[]): number => padded(longestOf(tokensOf, examples), bucket);
}

export function createBatchSource(
  train: readonly TokenizedExample[],
  validation: readonly TokenizedExample[],
  options: BatchOptions,
): BatchSource {
  const { batchSize, padTokenId, replay, together = 1 } = options;
  const bucket = options.bucket ?? bucketFor(longestOf(tokensOf, train, validation, replay?.examples ?? []));
  const pad = (rows: TokenizedExample[]) => padBatch(rows, padTokenId, bucket);
  const { stepsPerEpoch, examplesOf } = picker(train, options, replay);
  const tokensIn = (rows: TokenizedExample[]) => rows.length * padded(longestOf(tokensOf, rows), bucket);
  return {
    stepsPerEpoch,
    microBatches: (step) => joined(examplesOf(step), together, tokensIn).map(pad),
    evaluation() {
      const batches: Batch[] = [];
      for (let i = 0; i < validation.length; i += batchSize) batches.push(pad(validation.slice(i, i + batchSize)));
      return batches;
    },
  };
}

export type { ExampleSize };

export function sizeOf(example: TokenizedExample): ExampleSize {
  return example.kind === 'pair' || example.kind === 'judged'
    ? comparedSize(example)
    : { tokens: example.ids.length, targets: targetsOf(example) };
}

/** A batch's shape: rows × length tokens, padding included, and how many of them have a target. */
export interface BatchShape {
  /** Examples, each of which may be several sequences. */
  rows: number;
  length: number;
  targets: number;
}

export interface BatchShapes {
  training: BatchShape[];
  evaluation: BatchShape[];
}

/** More do not matter: the widest come first, and only runs of short texts have very many shapes. */
const MAX_SHAPES = 32;
/** Micro-batches that are examined. */
const MAX_LOOKED_AT = 20_000;

/** The distinct shapes of the batches that createBatchSource makes over so many steps, the widest first; in steps, for the page's own thread. */
export function* batchShapes(
  train: readonly ExampleSize[],
  validation: readonly ExampleSize[],
  options: StepOptions & { steps: number; replay?: Replay<ExampleSize> },
): Steps<BatchShapes> {
  const { batchSize, accumulation, replay, together = 1 } = options;
  const bucket = bucketFor(longestOf(({ tokens }) => tokens, train, validation, replay?.examples ?? []));
  const collect = () => {
    const found = new Map<string, BatchShape>();
    const add = (sizes: ExampleSize[]) => {
      const rows = sizes.length;
      const length = padded(longestSequence(sizes), bucket);
      const targets = sizes.reduce((sum, size) => sum + size.targets, 0);
      // Targets are padded to quarters of the batch.
      const key = `${rows} ${length} ${Math.ceil((4 * targets) / (rows * length))}`;
      const before = found.get(key);
      if (!before || before.targets < targets) found.set(key, { rows, length, targets });
    };
    const widest = () =>
      [...found.values()].sort((a, b) => b.rows * b.length - a.rows * a.length || b.targets - a.targets);
    return { add, list: () => widest().slice(0, MAX_SHAPES) };
  };
  const training = collect();
  const tokensIn = (sizes: ExampleSize[]) => sizes.length * padded(longestSequence(sizes), bucket);
  const { examplesOf } = picker(train, options, replay);
  const steps = Math.min(options.steps, Math.ceil(MAX_LOOKED_AT / accumulation));
  for (let step = 0; step < steps; step++) {
    for (const sizes of joined(examplesOf(step), together, tokensIn)) training.add(sizes);
    yield step;
  }
  const evaluation = collect();
  for (let i = 0; i < validation.length; i += batchSize) {
    evaluation.add(validation.slice(i, i + batchSize));
    yield steps;
  }
  return { training: training.list(), evaluation: evaluation.list() };
}

function padBatch(examples: readonly TokenizedExample[], padTokenId: number, bucket: number): Batch {
  const lengths = Int32Array.from(examples, ({ ids }) => ids.length);
  const length = padded(Math.max(...lengths), bucket);
  const rows = {
    batchSize: examples.length,
    length,
    ids: paddedInts(examples, length, ({ ids }) => ids, padTokenId),
    lengths,
    targetCount: examples.reduce((sum, example) => sum + targetsOf(example), 0),
  };
  const { kind } = examples[0]!;
  switch (kind) {
    case 'next_token': {
      const own = allOf(kind, examples);
      const labels = paddedInts(own, length, (example) => example.labels, IGNORE_INDEX);
      const starts = own.some((example) => example.starts) ? paddedStarts(own, length) : null;
      return { kind, ...rows, labels, starts };
    }
    case 'token_labels':
      return { kind, ...rows, labels: paddedInts(allOf(kind, examples), length, ({ labels }) => labels, IGNORE_INDEX) };
    case 'text_targets':
      return { kind, ...rows, ...joinedTargets(allOf(kind, examples)) };
    case 'hidden_tokens':
      return { kind, ...rows, special: paddedSpecial(allOf(kind, examples), length) };
    case 'pair':
      return pairBatch(allOf(kind, examples), padTokenId, bucket);
    case 'judged':
      return judgedBatch(allOf(kind, examples), padTokenId, bucket);
    case 'prompt':
      return { kind, ...rows, prompts: allOf(kind, examples) };
  }
  kind satisfies never;
}

type ExampleOf<K extends TokenizedExample['kind']> = Extract<TokenizedExample, { kind: K }>;

/** The examples of a batch, which are all of one kind. */
function allOf<K extends TokenizedExample['kind']>(kind: K, examples: readonly TokenizedExample[]): ExampleOf<K>[] {
  const own = examples.filter((example): example is ExampleOf<K> => example.kind === kind);
  if (own.length === examples.length) return own;
  throw new TabtuneError({
    code: 'internal',
    message: `A batch mixes examples of ${[...new Set(examples.map((example) => example.kind))].join(' and ')}.`,
    action: 'Set training.replay_ratio to 0: plain text cannot replace labelled examples.',
  });
}

function paddedInts<E extends TokenizedExample>(
  examples: readonly E[],
  length: number,
  valuesOf: (example: E) => Int32Array,
  pad: number,
): Int32Array {
  const values = new Int32Array(examples.length * length).fill(pad);
  examples.forEach((example, r) => {
    values.set(valuesOf(example), r * length);
  });
  return values;
}

/** A row that is a single text starts at 0; each padding token at itself, so that its position is 0. */
function paddedStarts(examples: readonly NextTokenExample[], length: number): Int32Array {
  const starts = Int32Array.from({ length: examples.length * length }, (_, i) => i % length);
  examples.forEach(({ ids, starts: given }, r) => {
    starts.set(given ?? new Int32Array(ids.length), r * length);
  });
  return starts;
}

function paddedSpecial(examples: readonly HiddenTokensExample[], length: number): Uint8Array {
  const special = new Uint8Array(examples.length * length).fill(1);
  examples.forEach((example, r) => {
    special.set(example.special, r * length);
  });
  return special;
}

function joinedTargets(examples: readonly TextTargetsExample[]): Pick<TextTargetsBatch, 'targets' | 'width'> {
  const width = examples[0]!.targets.length;
  const targets = new Float32Array(examples.length * width);
  examples.forEach((example, r) => {
    if (example.targets.length !== width) throw new Error('Texts of one batch have different numbers of targets.');
    targets.set(example.targets, r * width);
  });
  return { targets, width };
}

/** How many targets an example adds to its batch. */
export function targetsOf(example: TokenizedExample): number {
  switch (example.kind) {
    case 'next_token':
      return countTargets(example.labels);
    case 'token_labels':
      return example.labels.reduce((count, label) => count + (label === IGNORE_INDEX ? 0 : 1), 0);
    case 'text_targets':
    case 'pair':
    case 'judged':
    case 'prompt':
      return 1;
    case 'hidden_tokens':
      return example.special.reduce((count, special) => count + (special === 1 ? 0 : 1), 0);
  }
  example satisfies never;
}

/** Labels that count after the shift: the one at position 0 is predicted from nothing. */
export function countTargets(labels: Int32Array): number {
  let count = 0;
  for (let i = 1; i < labels.length; i++) if (labels[i] !== IGNORE_INDEX) count++;
  return count;
}
