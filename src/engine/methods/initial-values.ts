/**
 * Many initial values at once from the counter-based generator: four words a call, and of each pair of words two normal
 * numbers, so that the millions of a large adapter take a second and not ten. `sub` keeps tensors of one seed apart.
 */
import { philox4x32, Stream } from '../../base/random';

/** Calls `take` with four numbers in [0, 1) of 24 bits for every four values. */
function eachFour(count: number, seed: number, sub: number, take: (at: number, u: number[]) => void): void {
  for (let at = 0; at < count; at += 4) {
    const words = philox4x32([at >>> 2, 0, sub >>> 0, Stream.init], [seed >>> 0, 0]);
    take(
      at,
      words.map((word) => (word >>> 8) / 2 ** 24),
    );
  }
}

/** N(0, deviation²), by Box and Muller (1958); what torch begins an Embedding as with a deviation of 1. */
export function normals(count: number, seed: number, sub = 0, deviation = 1): Float32Array {
  const out = new Float32Array(count);
  eachFour(count, seed, sub, (at, u) => {
    for (let pair = 0; pair < 4; pair += 2) {
      // 1 − u lies in (0, 1], where a logarithm is finite.
      const radius = deviation * Math.sqrt(-2 * Math.log(1 - u[pair]!));
      const angle = 2 * Math.PI * u[pair + 1]!;
      // Beyond its end an array of numbers takes nothing.
      out[at + pair] = radius * Math.cos(angle);
      out[at + pair + 1] = radius * Math.sin(angle);
    }
  });
  return out;
}

/** U(−bound, bound); what torch begins a Linear as with a bound of 1/√width, weight and bias alike. */
export function uniforms(count: number, seed: number, sub: number, bound: number): Float32Array {
  const out = new Float32Array(count);
  eachFour(count, seed, sub, (at, u) => {
    for (let i = 0; i < 4; i++) out[at + i] = bound * (2 * u[i]! - 1);
  });
  return out;
}
