/** The sums that objectives report besides their loss, by name: added up on the device, and read once. */
import * as tf from '@tensorflow/tfjs-core';
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
  const read = await values;
  return Object.fromEntries(
    names.flatMap((name, i): [string, number][] => {
      const count = counts.get(name);
      if (count === 0) return [];
      return [[name, count === undefined ? read[i]! * factor : read[i]! / scale / count]];
    }),
  );
}

export function disposeScalars(sums: ScalarSums): void {
  for (const value of sums.values()) value.dispose();
  sums.clear();
}
