/** Normally distributed initial values from the counter-based generator. */
import { type StreamId, uniform } from '../../base/random';

/** The `counter`-th standard normal value of a stream (Box and Muller, 1958). */
export function normal(seed: number, stream: StreamId, counter: number, sub = 0): number {
  // 1 − u is in (0, 1], where the logarithm is finite.
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(seed, stream, 2 * counter, sub)));
  return radius * Math.cos(2 * Math.PI * uniform(seed, stream, 2 * counter + 1, sub));
}
