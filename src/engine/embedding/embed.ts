/**
 * One vector per text: a model's hidden states, pooled over the real tokens (Reimers and Gurevych, 2019), and
 * optionally normalised to length 1.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { type MakeInput, textInput } from '../models/input';
import type { LanguageModel } from '../models/model';
import { virtualLength } from '../models/virtual-tokens';
import { forwardOnly } from '../run/checkpointing';
import type { Hooks } from '../types';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';

export interface EmbedOptions {
  /** Mean over all tokens, or the state of the first one. */
  mode: 'mean' | 'cls';
  normalize: boolean;
}

/** Tokens per batch, padding included. Lengths are rounded up, so that few shapes occur. */
const BATCH_TOKENS = 2048;
const LENGTH_STEP = 16;

/** A vector of the model's width for each text, in the order of `texts`. */
export async function embedTexts(
  model: LanguageModel,
  hooks: Hooks,
  texts: readonly Int32Array[],
  options: EmbedOptions,
): Promise<Float32Array[]> {
  // Virtual tokens before a text take up context.
  const room = model.contextLength - virtualLength(hooks);
  for (const [i, { length }] of texts.entries()) {
    if (length > 0 && length <= room) continue;
    throw new TabtuneError({
      code: 'bad_data',
      message:
        length === 0
          ? `Text ${i + 1} has no tokens.`
          : `Text ${i + 1} has ${length} tokens, but the model reads at most ${room}.`,
      action: length === 0 ? 'Leave out empty texts.' : 'Shorten it.',
    });
  }
  const vectors: Float32Array[] = [];
  // Texts of similar length share a batch, so that little is padding.
  const order = texts.map((_, i) => i).sort((a, b) => texts[a]!.length - texts[b]!.length);
  while (order.length > 0) {
    const widest = Math.ceil(texts[order[0]!]!.length / LENGTH_STEP) * LENGTH_STEP;
    const length = Math.min(widest, room);
    const fit = Math.max(1, Math.floor(BATCH_TOKENS / length));
    const rows = order.filter((i) => texts[i]!.length <= length).slice(0, fit);
    order.splice(0, rows.length);
    const batch = await embedBatch(
      model,
      hooks,
      rows.map((i) => texts[i]!),
      length,
      options,
    );
    rows.forEach((i, row) => {
      vectors[i] = batch.slice(row * model.hiddenSize, (row + 1) * model.hiddenSize);
    });
  }
  return vectors;
}

async function embedBatch(
  model: LanguageModel,
  hooks: Hooks,
  rows: Int32Array[],
  length: number,
  { mode, normalize }: EmbedOptions,
): Promise<Float32Array> {
  const batch = rows.length;
  const tokens = batch * length;
  const lengths = Int32Array.from(rows, (row) => row.length);
  const ids = new Int32Array(tokens);
  const shares = new Float32Array(tokens);
  rows.forEach((row, b) => {
    ids.set(row, b * length);
    if (mode === 'cls') shares[b * length] = 1;
    else shares.fill(1 / row.length, b * length, b * length + row.length);
  });
  beginWork();
  const pooled = tf.tidy(() => {
    const make: MakeInput = (_use, values, shape) => tf.tensor(values, shape, 'int32');
    const input = textInput(model, { batchSize: batch, length, ids, lengths }, { make });
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
