/** The sums that objectives report, by name: added up on the device, and read once. */
import * as tf from '@tensorflow/tfjs-core';
import { copyValues } from '../kernels/in-place';
import { accumulateGradients } from '../kernels/optimisers/accumulate';
import { addTensors } from '../kernels/pointwise/add';
import { withoutTape } from '../kernels/tape';
import { readFloats } from '../webgpu/backend';

export type ScalarSums = Map<string, tf.Scalar>;

/** Adds a batch's scalars; the caller still owns them. */
export function addScalars(sums: ScalarSums, scalars: Record<string, tf.Scalar>): void {
  for (const [name, value] of Object.entries(scalars)) {
    const before = sums.get(name);
    sums.set(name, tf.keep(withoutTape(() => (before ? addTensors(before, value) : value.clone()))));
    before?.dispose();
  }
}

/** How many things each sum is over; a name that is left out is over all targets. */
export type ScalarCounts = Map<string, number>;

export function addCounts(counts: ScalarCounts, given: Record<string, number> = {}): void {
  for (const [name, count] of Object.entries(given)) counts.set(name, (counts.get(name) ?? 0) + count);
}

/**
 * The sums times `factor`, by name; frees them. Where `counts` has a name, the sum is undone by `scale`, what it was multiplied
 * with, and becomes a mean over its count; over nothing, it is left out.
 */
export async function readScalars(
  sums: ScalarSums,
  { factor = 1, scale, counts }: { factor?: number; scale: number; counts: ScalarCounts },
): Promise<Record<string, number>> {
  if (sums.size === 0) return {};
  const names = [...sums.keys()];
  let values: Promise<Float32Array>;
  try {
    const stacked = tf.stack([...sums.values()]);
    values = readFloats(stacked);
    stacked.dispose();
  } finally {
    disposeScalars(sums);
  }
  return meansOf(names, await values, { factor, scale, counts });
}

function meansOf(
  names: readonly string[],
  sums: Float32Array,
  { factor = 1, scale, counts }: { factor?: number; scale: number; counts: ScalarCounts },
): Record<string, number> {
  return Object.fromEntries(
    names.flatMap((name, i): [string, number][] => {
      const count = counts.get(name);
      if (count === 0) return [];
      return [[name, count === undefined ? sums[i]! * factor : sums[i]! / scale / count]];
    }),
  );
}

export function disposeScalars(sums: ScalarSums): void {
  for (const value of sums.values()) value.dispose();
  sums.clear();
}

/**
 * The same of a step's micro-batches with the loss before them, in a tensor that lasts from step to step: work that is replayed writes
 * to the same places every time.
 */
export class StepSums {
  private readonly metrics: string[] = [];
  private readonly counts: ScalarCounts = new Map();
  private empty = true;

  /** The optimiser's; what it holds of an earlier step is overwritten. */
  constructor(private readonly into: tf.Tensor) {}

  /** Of the metrics so far, in the order of their places. */
  get names(): readonly string[] {
    return this.metrics;
  }

  /** Records the addition of a micro-batch's metrics; the caller still owns them. */
  add(scalars: Record<string, tf.Scalar>): void {
    const known = Object.entries(scalars).filter(([name]) => this.metrics.includes(name));
    const placeOf = (name: string) => 1 + this.metrics.indexOf(name);
    this.sum(
      known.map(([, value]) => value),
      known.map(([name]) => placeOf(name)),
    );
    const fresh = Object.keys(scalars).filter((name) => !this.metrics.includes(name));
    fresh.forEach((name, i) => {
      const place = 1 + this.metrics.length + i;
      if (place >= this.into.size) throw new Error(`An objective reports more than ${this.into.size - 1} metrics.`);
      copyValues(scalars[name]!, 0, this.into, place, 1);
    });
  }

  /** The same for the loss, after the metrics. */
  addLoss(loss: tf.Scalar): void {
    if (this.empty) copyValues(loss, 0, this.into, 0, 1);
    else this.sum([loss], [0]);
  }

  private sum(values: tf.Tensor[], places: number[]): void {
    accumulateGradients(this.into, values, places, 1);
  }

  /** Notes that a micro-batch with these metrics has been added, by recorded or replayed work. */
  note(metrics: readonly string[], counts: Record<string, number> | undefined): void {
    this.empty = false;
    for (const name of metrics) if (!this.metrics.includes(name)) this.metrics.push(name);
    addCounts(this.counts, counts);
  }

  /** The means of the metrics. */
  async read(scale: number): Promise<Record<string, number>> {
    if (this.metrics.length === 0) return {};
    const sums = await readFloats(this.into);
    return meansOf(this.metrics, sums.subarray(1), { scale, counts: this.counts });
  }
}
