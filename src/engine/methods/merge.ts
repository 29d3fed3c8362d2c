/** A linear layer's weight and bias with a method's change merged in. */
import * as tf from '@tensorflow/tfjs-core';
import { embedding } from '../kernels/moves/embedding';
import type { LinearModule } from '../types';
import { readFloats } from '../webgpu/backend';
import type { Method } from './method';

/**
 * W + ΔW as float32 [out, in]. W is the weight that the forward pass uses, whatever its format: if it was quantised for training,
 * the quantised values are merged.
 */
export async function mergedWeight(module: LinearModule, method: Method | null): Promise<Float32Array> {
  const [out] = module.weight.shape as [number];
  const merged = tf.tidy(() => {
    // The embedding kernel reads rows of any format exactly.
    const rows = embedding(tf.range(0, out, 1, 'int32'), module.weight);
    const delta = method?.delta(module) ?? null;
    return delta ? tf.add(rows, delta) : rows;
  });
  try {
    return await readFloats(merged);
  } finally {
    merged.dispose();
  }
}

/** The same for the bias, [out]; null if the layer has none. */
export async function mergedBias(module: LinearModule, method: Method | null): Promise<Float32Array | null> {
  const { bias } = module;
  if (!bias) return null;
  const merged = tf.tidy(() => {
    const delta = method?.biasDelta?.(module) ?? null;
    return delta ? tf.add(bias, delta) : bias.clone();
  });
  try {
    return await readFloats(merged);
  } finally {
    merged.dispose();
  }
}
