/** The next token from logits that stay on the device; only where single precision might decide are they read and drawn from here. */
import type * as tf from '@tensorflow/tfjs-core';
import { Stream, uniform } from '../../base/random';
import { drawRanked, settledToken } from '../kernels/sampling/draw-ranked';
import { readFloats } from '../webgpu/backend';
import type { SamplingOptions } from './options';
import { sampleToken } from './sampler';

/** Draws from logits [1, vocab] and disposes them; the token is `sampleToken`'s. `position` is the index of the token. */
export async function drawNext(logits: tf.Tensor, position: number, options: SamplingOptions): Promise<number> {
  const { topP, seed } = options;
  const temperature = Math.max(0, options.temperature);
  const attrs = { temperature, topP, number: temperature > 0 ? uniform(seed, Stream.sampling, position) : 0 };
  try {
    const drawn = drawRanked(logits, attrs);
    const read = readFloats(drawn);
    drawn.dispose();
    const token = settledToken(await read, attrs, logits.shape[1]!);
    return token ?? sampleToken(await readFloats(logits), position, options);
  } finally {
    logits.dispose();
  }
}
