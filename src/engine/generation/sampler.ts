/**
 * Picks the next token from logits: greedily at temperature 0, otherwise by nucleus sampling (Holtzman et al., 2020).
 * The random number comes from (seed, position), so the same prompt, seed and settings give the same answer.
 */
import { Stream, uniform } from '../../base/random';
import type { SamplingOptions } from './options';

export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** `position` is the index of the token to be sampled. */
export function sampleToken(logits: Float32Array, position: number, options: SamplingOptions): number {
  if (options.temperature <= 0) return argmax(logits);
  const max = logits[argmax(logits)]!;
  const order = Array.from(logits, (_, i) => i).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const weights = order.map((i) => Math.exp((logits[i]! - max) / options.temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  let kept = 0;
  let mass = 0;
  while (kept < weights.length && (kept === 0 || mass < options.topP * total)) mass += weights[kept++]!;
  let target = uniform(options.seed, Stream.sampling, position) * mass;
  for (let i = 0; i < kept; i++) {
    target -= weights[i]!;
    if (target < 0) return order[i]!;
  }
  return order[kept - 1]!;
}
