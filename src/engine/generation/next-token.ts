/** The next token from logits that stay on the device; only where single precision might decide are they read and drawn from here. */
import type * as tf from '@tensorflow/tfjs-core';
import { Stream, uniform } from '../../base/random';
import { drawRanked, settledToken } from '../kernels/sampling/draw-ranked';
import { readFloats } from '../webgpu/backend';
import type { SamplingOptions } from './options';
import { sampleToken } from './sampler';

/** How the token with the index `position` is drawn. */
export function drawAttrs(position: number, { temperature, topP, seed }: SamplingOptions) {
  const number = temperature > 0 ? uniform(seed, Stream.sampling, position) : 0;
  return { temperature: Math.max(0, temperature), topP, number };
}

/** The token that `drawRanked` has `drawn`, or the one that is drawn from the logits here where it may be another. */
export async function settledOr(
  drawn: tf.Tensor,
  logits: tf.Tensor,
  position: number,
  options: SamplingOptions,
): Promise<number> {
  const token = settledToken(await readFloats(drawn), drawAttrs(position, options), logits.shape[1]!);
  return token ?? sampleToken(await readFloats(logits), position, options);
}

/** Draws from logits [1, vocab] and disposes them; the token is `sampleToken`'s. `position` is the index of the token. */
export async function drawNext(logits: tf.Tensor, position: number, options: SamplingOptions): Promise<number> {
  const drawn = drawRanked(logits, drawAttrs(position, options));
  try {
    return await settledOr(drawn, logits, position, options);
  } finally {
    drawn.dispose();
    logits.dispose();
  }
}
