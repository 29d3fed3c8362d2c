/** The sums that objectives report besides their loss, by name: added up on the device, and read once. */
import * as tf from '@tensorflow/tfjs-core';
import { withoutTape } from '../kernels/tape';
import { readFloats } from '../webgpu/backend';

export type ScalarSums = Map<string, tf.Scalar>;

/** Adds a batch's scalars; the caller still owns them. */
export function addScalars(sums: ScalarSums, scalars: Record<string, tf.Scalar>): void {
  for (const [name, value] of Object.entries(scalars)) {
    const before = sums.get(name);
    sums.set(name, tf.keep(withoutTape(() => (before ? tf.add<tf.Scalar>(before, value) : value.clone()))));
    before?.dispose();
  }
}

/** The sums times `factor`, by name; frees them. */
export async function readScalars(sums: ScalarSums, factor = 1): Promise<Record<string, number>> {
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
  return Object.fromEntries(Array.from(await values, (value, i) => [names[i]!, value * factor]));
}

export function disposeScalars(sums: ScalarSums): void {
  for (const value of sums.values()) value.dispose();
  sums.clear();
}
