/**
 * Bulk initial values from the counter-based generator: four words per call, and two normal values from each pair of words, so
 * that a large adapter's millions of values take one second rather than ten. `sub` separates tensors that share a seed.
 */
import { philox4x32, Stream } from '../../base/random';

/** Calls `take` once for every four values, with four 24-bit numbers in [0, 1). */
function eachFour(count: number, seed: number, sub: number, take: (at: number, u: number[]) => void): void {
  for (let at = 0; at < count; at += 4) {
    const words = philox4x32([at >>> 2, 0, sub >>> 0, Stream.init], [seed >>> 0, 0]);
    take(
      at,
      words.map((word) => (word >>> 8) / 2 ** 24),
    );
  }
}

/** N(0, deviation²) by Box and Muller (1958). With a deviation of 1, torch's initialisation of an Embedding. */
export function normals(count: number, seed: number, sub = 0, deviation = 1): Float32Array {
  const out = new Float32Array(count);
  eachFour(count, seed, sub, (at, u) => {
    for (let pair = 0; pair < 4; pair += 2) {
      // 1 − u is in (0, 1], where the logarithm is finite.
      const radius = deviation * Math.sqrt(-2 * Math.log(1 - u[pair]!));
      const angle = 2 * Math.PI * u[pair + 1]!;
      // Writes past the end of a typed array are ignored.
      out[at + pair] = radius * Math.cos(angle);
      out[at + pair + 1] = radius * Math.sin(angle);
    }
  });
  return out;
}

/** U(−bound, bound). With a bound of 1/√width, torch's initialisation of a Linear, both weight and bias. */
export function uniforms(count: number, seed: number, sub: number, bound: number): Float32Array {
  const out = new Float32Array(count);
  eachFour(count, seed, sub, (at, u) => {
    for (let i = 0; i < 4; i++) out[at + i] = bound * (2 * u[i]! - 1);
  });
  return out;
}
