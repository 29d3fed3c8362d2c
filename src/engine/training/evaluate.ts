/** Mean loss over the validation set, every target token weighing the same. */
import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../../data/types';
import { inference, type Method } from '../methods/method';
import type { LanguageModel } from '../models/model';
import type { Objective } from '../objectives/objective';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import { forwardOnly } from './checkpointing';

export interface EvaluationSetup {
  model: LanguageModel;
  method: Method | null;
  objective: Objective;
}

/** A whole text as a batch of one row, every token of it a target but the first. */
export function wholeText(ids: Int32Array): Batch {
  const length = ids.length;
  return { batchSize: 1, length, ids, labels: ids, lengths: Int32Array.of(length), targetTokens: length - 1 };
}

/** Gives NaN for an empty set. `cancelled` is asked between batches; when it says yes the result is null. */
export async function evaluate(
  { model, method, objective }: EvaluationSetup,
  batches: Batch[],
  cancelled: () => boolean = () => false,
): Promise<number | null> {
  const hooks = forwardOnly(method?.hooks(inference()) ?? {});
  let sum = 0;
  let count = 0;
  let pending: Promise<Float32Array> | null = null;
  for (const batch of batches) {
    if (cancelled()) {
      await pending;
      return null;
    }
    beginWork();
    const loss = tf.tidy(() => objective.loss(model, hooks, batch, { scale: 1, withGradient: false }));
    // One batch ahead: the GPU works on this one while the last one's sum is fetched.
    const read = readFloats(loss);
    loss.dispose();
    if (pending) sum += (await pending)[0]!;
    pending = read;
    count += batch.targetTokens;
  }
  if (pending) sum += (await pending)[0]!;
  return count > 0 ? sum / count : Number.NaN;
}
