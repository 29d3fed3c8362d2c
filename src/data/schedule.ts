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
  /** False leaves what remains to the last step of an epoch, as the Trainer does: to compare a run with one of its own. */
  even?: boolean;
}

/** A row of a micro-batch: the index of a training example, or of the piece of base text that replaces it. */
export type Pick = { replayed: false; index: number } | { replayed: true; index: number };

export interface Schedule {
  stepsPerEpoch: number;
  batchesOf(step: number): Pick[][];
}

/**
 * As many steps in an epoch as Hugging Face's Trainer makes without drop_last, and every example once. But the Trainer puts
 * all rows that are left over into the last step, and since a step's loss is a mean over its targets, a single example can
 * then move the model as far as a whole batch: 225 examples in eights end each epoch with one. Here the sizes of an epoch's
 * steps differ by one row at most. A step is cut into micro-batches as the Trainer does it, the last with what remains.
 *
 * `replay`: a share of the rows so far is replaced by pieces of base text, rounded with one draw for the whole run
 * (systematic sampling), so that the share is exact to one row however long the run is. Each round through all pieces
 * has a new order; which rows of a batch they replace is drawn.
 */
export function schedule(
  count: number,
  { batchSize, accumulation, shuffle, seed, even = true }: ScheduleOptions,
  replay: { count: number; ratio: number } = { count: 0, ratio: 0 },
): Schedule {
  const stepsPerEpoch = Math.ceil(count / (batchSize * accumulation));
  const inFileOrder = Uint32Array.from({ length: count }, (_, i) => i);
  const orderOf = lastOf((epoch) => (shuffle ? permutation(count, seed, Stream.shuffle, epoch) : inFileOrder));
  const piecesOf = lastOf((round) => permutation(replay.count, seed, Stream.replay, round));
  const ratio = replay.count > 0 ? replay.ratio : 0;
  const offset = ratio > 0 ? uniform(seed, Stream.replay, 0, OFFSET) : 0;
  /** Rows replaced among the first `rows` of the run. */
  const replacedBy = (rows: number) => Math.floor(rows * ratio + offset);
  const fewest = Math.floor(count / stepsPerEpoch);
  const larger = count - fewest * stepsPerEpoch;
  /** Where a step of an epoch begins. The larger ones come first, so that the first steps are the Trainer's own. */
  const startOf = (step: number) =>
    even ? step * fewest + Math.min(step, larger) : Math.min(step * batchSize * accumulation, count);

  /** Rows [start, end) of an epoch; `index` counts the micro-batches of the run, as if all steps had `accumulation` of them. */
  const batchOf = (epoch: number, start: number, end: number, index: number): Pick[] => {
    const rows = orderOf(epoch).subarray(start, end);
    const picks = Array.from(rows, (index): Pick => ({ replayed: false, index }));
    if (ratio === 0) return picks;
    const before = epoch * count + start;
    const first = replacedBy(before);
    const replaced = Math.min(picks.length, replacedBy(before + picks.length) - first);
    const places = permutation(picks.length, seed, Stream.replay, PLACES + index);
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
      const start = startOf(step % stepsPerEpoch);
      const end = startOf((step % stepsPerEpoch) + 1);
      return Array.from({ length: Math.ceil((end - start) / batchSize) }, (_, k) => {
        const from = start + k * batchSize;
        return batchOf(epoch, from, Math.min(from + batchSize, end), step * accumulation + k);
      });
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
