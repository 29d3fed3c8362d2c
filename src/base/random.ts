/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011;
 * constants from Random123). A number is a pure function of (seed, stream, counter), so a run resumes bit for bit without
 * any saved state, and the GPU's dropout kernel computes the same function.
 */
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High and low 32 bits of a 32×32 product, without BigInt. */
function mulhilo(a: number, b: number): [hi: number, lo: number] {
  const lo = Math.imul(a, b) >>> 0;
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const mid = a1 * b0 + ((a0 * b0) >>> 16);
  const mid2 = a0 * b1 + (mid % 0x10000);
  const hi = (a1 * b1 + Math.floor(mid / 0x10000) + Math.floor(mid2 / 0x10000)) >>> 0;
  return [hi, lo];
}

/** Four 32-bit words for a 128-bit counter and a 64-bit key. */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [hi0, lo0] = mulhilo(M0, c0 >>> 0);
    const [hi1, lo1] = mulhilo(M1, c2 >>> 0);
    c0 = (hi1 ^ c1 ^ k0) >>> 0;
    c1 = lo1;
    c2 = (hi0 ^ c3 ^ k1) >>> 0;
    c3 = lo0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** Streams keep independent uses of one seed apart. */
export const Stream = {
  shuffle: 1,
  split: 2,
  dropout: 3,
  init: 4,
  sampling: 5,
  replay: 9,
  attention: 11,
  noise: 12,
  masking: 13,
  columns: 14,
  sample: 15,
  mix: 16,
  augment: 17,
  rollout: 18,
  rolloutOrder: 19,
  selfInstruct: 30,
} as const;
export type StreamId = (typeof Stream)[keyof typeof Stream];

/** Uniform in [0, 1) with 24 bits: number `counter` of `stream` under `seed`. `sub` separates e.g. epochs or tensors. */
export function uniform(seed: number, stream: StreamId, counter: number, sub = 0): number {
  const [word] = philox4x32([counter >>> 0, Math.floor(counter / 2 ** 32), sub >>> 0, stream], [seed >>> 0, 0]);
  return (word >>> 8) / 2 ** 24;
}

/** `count` of the numbers 0..n-1, ascending; all of them if there are no more. */
export function sample(n: number, count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  if (count >= n) return order;
  // The first `count` steps of a shuffle.
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(uniform(seed, Stream.sample, i) * (n - i));
    const t = order[i]!;
    order[i] = order[j]!;
    order[j] = t;
  }
  return order.slice(0, count).sort();
}

/** A permutation of 0..n-1: Fisher-Yates over the counter-based generator. */
export function permutation(n: number, seed: number, stream: StreamId, sub = 0): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(uniform(seed, stream, i, sub) * (i + 1));
    const t = order[i]!;
    order[i] = order[j]!;
    order[j] = t;
  }
  return order;
}
