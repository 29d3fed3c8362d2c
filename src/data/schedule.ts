/**
 * The rows of the micro-batches of an optimiser step, as a pure function of the step: the order of an epoch is drawn
 * from (seed, epoch), replayed rows from the number of rows before.
 */
import { permutation, Stream, uniform } from '../base/random';

export interface ScheduleOptions {
  /** per_device_train_batch_size */
  batchSize: number;
  /** gradient_accumulation_steps */
  accumulation: number;
  shuffle: boolean;
  seed: number;
}

/** A row of a micro-batch: the index of a training example, or of the piece of base text that replaces it. */
export type Pick = { replayed: false; index: number } | { replayed: true; index: number };

export interface Schedule {
  stepsPerEpoch: number;
  batchesOf(step: number): Pick[][];
}

/**
 * Batches as Hugging Face's Trainer forms them without drop_last: the last batch of an epoch has the remaining rows,
 * the last window of an epoch the remaining batches.
 *
 * `replay`: a share of the rows so far is replaced by pieces of base text, rounded with one draw for the whole run
 * (systematic sampling), so that the share is exact to one row however long the run is. Each round through all pieces
 * has a new order; which rows of a batch they replace is drawn.
 */
export function schedule(
  count: number,
  { batchSize, accumulation, shuffle, seed }: ScheduleOptions,
  replay: { count: number; ratio: number } = { count: 0, ratio: 0 },
): Schedule {
  const batchesPerEpoch = Math.ceil(count / batchSize);
  const stepsPerEpoch = Math.ceil(batchesPerEpoch / accumulation);
  const inFileOrder = Uint32Array.from({ length: count }, (_, i) => i);
  const orderOf = lastOf((epoch) => (shuffle ? permutation(count, seed, Stream.shuffle, epoch) : inFileOrder));
  const piecesOf = lastOf((round) => permutation(replay.count, seed, Stream.replay, round));
  const ratio = replay.count > 0 ? replay.ratio : 0;
  const offset = ratio > 0 ? uniform(seed, Stream.replay, 0, OFFSET) : 0;
  /** Rows replaced among the first `rows` of the run. */
  const replacedBy = (rows: number) => Math.floor(rows * ratio + offset);

  const batchOf = (epoch: number, b: number): Pick[] => {
    const rows = orderOf(epoch).subarray(b * batchSize, (b + 1) * batchSize);
    const picks = Array.from(rows, (index): Pick => ({ replayed: false, index }));
    if (ratio === 0) return picks;
    const before = epoch * count + b * batchSize;
    const first = replacedBy(before);
    const replaced = Math.min(picks.length, replacedBy(before + picks.length) - first);
    const places = permutation(picks.length, seed, Stream.replay, PLACES + epoch * batchesPerEpoch + b);
    for (let k = 0; k < replaced; k++) {
      const piece = first + k;
      const index = piecesOf(Math.floor(piece / replay.count))[piece % replay.count]!;
      picks[places[k]!] = { replayed: true, index };
    }
    return picks;
  };
  return {
    stepsPerEpoch,
    batchesOf(step) {
      if (count === 0) return [];
      const epoch = Math.floor(step / stepsPerEpoch);
      const first = (step % stepsPerEpoch) * accumulation;
      const last = Math.min(first + accumulation, batchesPerEpoch);
      return Array.from({ length: last - first }, (_, k) => batchOf(epoch, first + k));
    },
  };
}

/** Draws of the same stream, separate from the orders of pieces, which count from 0. */
const OFFSET = 0x40000000;
const PLACES = 0x80000000;

/** Steps come in order, so only the last result is worth keeping. */
function lastOf(make: (key: number) => Uint32Array): (key: number) => Uint32Array {
  let cached: { key: number; order: Uint32Array } | null = null;
  return (key) => {
    if (cached?.key !== key) cached = { key, order: make(key) };
    return cached.order;
  };
}
