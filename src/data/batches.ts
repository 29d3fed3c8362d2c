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
 * Micro-batches as Hugging Face's Trainer forms them without drop_last: the last batch of an epoch has the rows that
 * are left, the last window of an epoch the batches that are left.
 */
export function createBatchSource(
  train: readonly TokenizedExample[],
  validation: readonly TokenizedExample[],
  options: BatchOptions,
): BatchSource {
  const { batchSize, accumulation, shuffle, seed } = options;
  const longest = Math.max(longestOf(train), longestOf(validation));
  const bucket = options.bucket ?? bucketFor(longest);
  const pad = (rows: TokenizedExample[]) => padBatch(rows, options.padTokenId, bucket);
  const batchesPerEpoch = Math.ceil(train.length / batchSize);
  const stepsPerEpoch = Math.ceil(batchesPerEpoch / accumulation);

  // Steps come in order, so that the last epoch's order is all that is worth keeping.
  let cached: { epoch: number; order: Uint32Array } | null = null;
  const orderOf = (epoch: number): Uint32Array => {
    if (cached?.epoch !== epoch) {
      const order = shuffle
        ? permutation(train.length, seed, Stream.shuffle, epoch)
        : Uint32Array.from({ length: train.length }, (_, i) => i);
      cached = { epoch, order };
    }
    return cached.order;
  };

  return {
    stepsPerEpoch,
    microBatches(step) {
      if (train.length === 0) return [];
      const order = orderOf(Math.floor(step / stepsPerEpoch));
      const first = (step % stepsPerEpoch) * accumulation;
      const batches: Batch[] = [];
      for (let b = first; b < Math.min(first + accumulation, batchesPerEpoch); b++) {
        const picked = order.subarray(b * batchSize, (b + 1) * batchSize);
        batches.push(pad([...picked].map((i) => train[i]!)));
      }
      return batches;
    },
    evaluation() {
      const batches: Batch[] = [];
      for (let i = 0; i < validation.length; i += batchSize) batches.push(pad(validation.slice(i, i + batchSize)));
      return batches;
    },
  };
}

function longestOf(examples: readonly TokenizedExample[]): number {
  let longest = 0;
  for (const { ids } of examples) longest = Math.max(longest, ids.length);
  return longest;
}

function padBatch(rows: readonly TokenizedExample[], padTokenId: number, bucket: number): Batch {
  const batchSize = rows.length;
  const lengths = Int32Array.from(rows, (row) => row.ids.length);
  const length = Math.max(bucket, Math.ceil(Math.max(...lengths) / bucket) * bucket);
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
