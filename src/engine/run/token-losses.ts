/** The loss of every token of a text, as evaluation sums them up: one pass, read as one number for each token. */
import * as tf from '@tensorflow/tfjs-core';
import { IGNORE_INDEX } from '../../base/ignore-index';
import type { NextTokenBatch } from '../../data/types';
import { inference, type Method } from '../methods/method';
import type { LanguageModel } from '../models/model';
import { sft, targetRows } from '../objectives/sft';
import { targetLogProbs } from '../objectives/tokens';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import { forwardOnly } from './checkpointing';
import { createPass } from './pass';

/** Padded to few lengths, because the inputs of every shape are kept. */
function padded(ids: Int32Array, most: number): NextTokenBatch {
  const length = Math.max(ids.length, Math.min(most, Math.ceil(ids.length / BUCKET) * BUCKET));
  const padding = (fill: number) => {
    const row = new Int32Array(length).fill(fill);
    row.set(ids);
    return row;
  };
  const rows = { batchSize: 1, length, ids: padding(0), lengths: Int32Array.of(ids.length) };
  return { kind: 'next_token', ...rows, labels: padding(IGNORE_INDEX), starts: null, targetCount: ids.length - 1 };
}

const BUCKET = 64;

/** Negative log-likelihoods in nats, [T]; NaN for the first token, which nothing predicts. */
export async function tokenLosses(model: LanguageModel, method: Method | null, ids: Int32Array): Promise<Float32Array> {
  const losses = new Float32Array(ids.length).fill(Number.NaN);
  if (ids.length < 2) return losses;
  const batch = padded(ids, model.contextLength);
  beginWork();
  const hooks = forwardOnly(method?.hooks(inference()) ?? {});
  const { policy } = createPass({ model, method, objective: sft }, { hooks, scale: 1, withGradient: false });
  const logProbs = tf.tidy(() => targetLogProbs(policy, policy.hidden(batch), targetRows(batch)));
  const values = await readFloats(logProbs).finally(() => logProbs.dispose());
  for (let t = 1; t < ids.length; t++) losses[t] = -values[t - 1]!;
  return losses;
}
