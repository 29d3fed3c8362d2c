/**
 * Examples -> padded micro-batches, as a pure function of the optimiser step: the order of an epoch is drawn from
 * (seed, epoch), so that a resumed run sees the batches that an uninterrupted one would have seen.
 */
import { permutation, Stream } from '../base/random';
import type { Batch, BatchSource, TokenizedExample } from './types';

/** The label that no loss is taken of: Hugging Face's ignore_index. */
export const IGNORE = -100;

export interface BatchOptions {
  /** per_device_train_batch_size */
  batchSize: number;
  /** gradient_accumulation_steps */
  accumulation: number;
  shuffle: boolean;
  seed: number;
  padTokenId: number;
  /** Lengths are padded to a multiple of this; `bucketFor` of the longest example when absent. */
  bucket?: number;
}

/**
 * Tokens that lengths are rounded up to. Every distinct shape costs the GPU new buffers and recorded steps, and every
 * padded token costs work: 32 gives at most 32 shapes up to 1024 tokens; short texts take finer steps.
 */
export function bucketFor(maxLength: number): number {
  return maxLength < 128 ? 16 : 32;
}

/**
 * Which examples make up the micro-batches of a step, as Hugging Face's Trainer forms them without drop_last: the last
 * batch of an epoch has the rows that are left, the last window of an epoch the batches that are left.
 */
function schedule(count: number, options: Pick<BatchOptions, 'batchSize' | 'accumulation' | 'shuffle' | 'seed'>) {
  const { batchSize, accumulation, shuffle, seed } = options;
  const batchesPerEpoch = Math.ceil(count / batchSize);
  const stepsPerEpoch = Math.ceil(batchesPerEpoch / accumulation);

  // Steps come in order, so that the last epoch's order is all that is worth keeping.
  let cached: { epoch: number; order: Uint32Array } | null = null;
  const orderOf = (epoch: number): Uint32Array => {
    if (cached?.epoch !== epoch) {
      const order = shuffle
        ? permutation(count, seed, Stream.shuffle, epoch)
        : Uint32Array.from({ length: count }, (_, i) => i);
      cached = { epoch, order };
    }
    return cached.order;
  };
  const batchesOf = (step: number): Uint32Array[] => {
    if (count === 0) return [];
    const order = orderOf(Math.floor(step / stepsPerEpoch));
    const first = (step % stepsPerEpoch) * accumulation;
    const batches: Uint32Array[] = [];
    for (let b = first; b < Math.min(first + accumulation, batchesPerEpoch); b++) {
      batches.push(order.subarray(b * batchSize, (b + 1) * batchSize));
    }
    return batches;
  };
  return { stepsPerEpoch, batchesOf };
}

/** Tokens of a row that are computed for examples of these lengths. */
const padded = (longest: number, bucket: number) => Math.max(bucket, Math.ceil(longest / bucket) * bucket);

export function createBatchSource(
  train: readonly TokenizedExample[],
  validation: readonly TokenizedExample[],
  options: BatchOptions,
): BatchSource {
  const { batchSize, padTokenId } = options;
  const longest = Math.max(longestOf(train), longestOf(validation));
  const bucket = options.bucket ?? bucketFor(longest);
  const pad = (rows: TokenizedExample[]) => padBatch(rows, padTokenId, bucket);
  const { stepsPerEpoch, batchesOf } = schedule(train.length, options);
  return {
    stepsPerEpoch,
    microBatches: (step) => batchesOf(step).map((picked) => pad([...picked].map((i) => train[i]!))),
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
  options: Omit<BatchOptions, 'padTokenId' | 'bucket'> & { steps: number },
): { training: BatchShape[]; evaluation: BatchShape[] } {
  const { batchSize, accumulation } = options;
  const bucket = bucketFor([...train, ...validation].reduce((longest, { tokens }) => Math.max(longest, tokens), 0));
  const collect = () => {
    const found = new Map<string, BatchShape>();
    const add = (sizes: ExampleSize[]) => {
      const rows = sizes.length;
      const length = padded(
        sizes.reduce((longest, { tokens }) => Math.max(longest, tokens), 0),
        bucket,
      );
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
  const { batchesOf } = schedule(train.length, options);
  const steps = Math.min(options.steps, Math.ceil(MAX_LOOKED_AT / accumulation));
  for (let step = 0; step < steps; step++) {
    for (const picked of batchesOf(step)) training.add([...picked].map((i) => train[i]!));
  }
  const evaluation = collect();
  for (let i = 0; i < validation.length; i += batchSize) evaluation.add(validation.slice(i, i + batchSize));
  return { training: training.list(), evaluation: evaluation.list() };
}

function longestOf(examples: readonly TokenizedExample[]): number {
  let longest = 0;
  for (const { ids } of examples) longest = Math.max(longest, ids.length);
  return longest;
}

function padBatch(rows: readonly TokenizedExample[], padTokenId: number, bucket: number): Batch {
  const batchSize = rows.length;
  const lengths = Int32Array.from(rows, (row) => row.ids.length);
  const length = padded(Math.max(...lengths), bucket);
  const ids = new Int32Array(batchSize * length).fill(padTokenId);
  const labels = new Int32Array(batchSize * length).fill(IGNORE);
  let targetTokens = 0;
  rows.forEach((row, r) => {
    ids.set(row.ids, r * length);
    labels.set(row.labels, r * length);
    targetTokens += countTargets(row.labels);
  });
  return { batchSize, length, ids, labels, lengths, targetTokens };
}

/** Labels that count after the shift: the one at position 0 is predicted by nothing. */
export function countTargets(labels: Int32Array): number {
  let count = 0;
  for (let i = 1; i < labels.length; i++) if (labels[i] !== IGNORE) count++;
  return count;
}
