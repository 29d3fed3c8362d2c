/**
 * One vector per text: a model's hidden states, pooled over the real tokens (Reimers and Gurevych, 2019), and
 * optionally normalised to length 1.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { PaddedRows } from '../../data/types';
import { type MakeInput, textInput } from '../models/input';
import type { LanguageModel } from '../models/model';
import { textBatches } from '../models/text-batches';
import { forwardOnly } from '../run/checkpointing';
import type { Hooks } from '../types';
import { readFloats } from '../webgpu/backend';
import { current } from '../webgpu/live';
import { beginWork } from '../webgpu/pool';

export interface EmbedOptions {
  /** Mean over all tokens, or the state of the first one. */
  mode: 'mean' | 'cls';
  normalize: boolean;
}

/** A vector of the model's width for each text, in the order of `texts`. */
export async function embedTexts(
  model: LanguageModel,
  hooks: Hooks,
  texts: readonly Int32Array[],
  options: EmbedOptions,
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (const { places, rows } of textBatches(model, hooks, texts)) {
    const batch = await embedBatch(model, hooks, rows, options);
    places.forEach((i, row) => {
      vectors[i] = batch.slice(row * model.hiddenSize, (row + 1) * model.hiddenSize);
    });
  }
  return vectors;
}

async function embedBatch(
  model: LanguageModel,
  hooks: Hooks,
  rows: PaddedRows,
  { mode, normalize }: EmbedOptions,
): Promise<Float32Array> {
  const { batchSize: batch, length, lengths } = rows;
  const shares = new Float32Array(batch * length);
  lengths.forEach((real, b) => {
    if (mode === 'cls') shares[b * length] = 1;
    else shares.fill(1 / real, b * length, b * length + real);
  });
  beginWork();
  const pooled = tf.tidy(() => {
    const make: MakeInput = (_use, values, shape) => tf.tensor(current(values), shape, 'int32');
    const input = textInput(model, rows, { make });
    const hidden = model.hidden(input, forwardOnly(hooks));
    const states = tf.reshape(hidden, [batch, length, model.hiddenSize]);
    const vectors = tf.reshape(tf.matMul(tf.tensor(shares, [batch, 1, length]), states), [batch, model.hiddenSize]);
    if (!normalize) return vectors;
    return tf.div(vectors, tf.maximum(tf.sqrt(tf.sum(tf.square(vectors), 1, true)), 1e-12));
  });
  try {
    return await readFloats(pooled);
  } finally {
    pooled.dispose();
  }
}
