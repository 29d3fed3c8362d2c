/** How far a method has moved the weights. */
import * as tf from '@tensorflow/tfjs-core';
import { rowSquares } from '../kernels/norms/row-squares';
import type { LanguageModel } from '../models/model';
import { readFloats } from '../webgpu/backend';
import type { Method } from './method';

/** ‖ΔW‖ / ‖W‖ over the linear layers that the method changes; null if it changes none. */
export async function weightChange(model: LanguageModel, method: Method): Promise<number | null> {
  let changed = 0;
  let whole = 0;
  for (const module of model.linears) {
    const delta = method.delta(module);
    if (!delta) continue;
    const sums = tf.tidy(() => tf.stack([tf.sum(tf.square(delta)), tf.sum(rowSquares(module.weight))]));
    delta.dispose();
    const [of, total] = await readFloats(sums);
    sums.dispose();
    changed += of!;
    whole += total!;
  }
  return whole > 0 ? Math.sqrt(changed / whole) : null;
}
