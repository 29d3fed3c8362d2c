/**
 * Q4_K and Q5_K: 256 values in eight groups of 32. Each group has a scale and a minimum of 6 bits, which two float16 of the block
 * multiply: value = d · scale · level − dmin · minimum. The bytes are those of ggml's reference quantisers.
 */
import { f16Value } from '../half';
import { nearest, putF16, type Quantizer } from './quantizer';
import { fillLanes, LANES, searchOf } from './searches';

const f32 = Math.fround;
const GROUP = 32;
const GROUPS = 8;

// Of the block being written.
const scales = new Float32Array(GROUPS);
const minima = new Float32Array(GROUPS);
const levels = new Uint8Array(GROUPS * GROUP);

function kQuantizer(bits: 4 | 5): Quantizer {
  const size = bits === 4 ? 144 : 176;
  const most = bits === 4 ? 15 : 31;
  return (values, bytes) => {
    const search = searchOf(bits === 4 ? 'upTo15' : 'upTo31');
    for (let from = 0, at = 0; from < values.length; from += GROUPS * GROUP, at += size) {
      for (let group = 0; group < GROUPS; group += LANES) {
        fillLanes(search, values, from + group * GROUP, GROUP);
        search.run();
        for (let lane = 0; lane < LANES; lane++) {
          scales[group + lane] = search.scales[lane]!;
          minima[group + lane] = search.minima[lane]!;
          for (let i = 0; i < GROUP; i++) levels[(group + lane) * GROUP + i] = search.levels[i * LANES + lane]!;
        }
      }
      putFactors(bytes, at, values, from, most);
      pack(bytes, at + 16, bits);
    }
  };
}

/** Rounds the groups' scales and minima to the block's factors, and chooses the levels once more for them as they are then. */
function putFactors(bytes: Uint8Array, at: number, values: Float32Array, from: number, most: number): void {
  let largestScale = 0;
  let largestMin = 0;
  for (let group = 0; group < GROUPS; group++) {
    if (scales[group]! > largestScale) largestScale = scales[group]!;
    if (minima[group]! > largestMin) largestMin = minima[group]!;
  }
  putF16(bytes, at, f32(largestScale / 63));
  putF16(bytes, at + 2, f32(largestMin / 63));
  const d = f16Value(bytes[at]! | (bytes[at + 1]! << 8));
  const dmin = f16Value(bytes[at + 2]! | (bytes[at + 3]! << 8));
  const inverseScale = largestScale > 0 ? f32(63 / largestScale) : 0;
  const inverseMin = largestMin > 0 ? f32(63 / largestMin) : 0;
  for (let group = 0; group < GROUPS; group++) {
    const scale = sixBits(scales[group]!, inverseScale);
    const min = sixBits(minima[group]!, inverseMin);
    putSixBits(bytes, at + 4, group, scale, min);
    const unit = f32(d * scale);
    if (unit === 0) continue;
    const shift = f32(dmin * min);
    const start = from + group * GROUP;
    for (let i = 0; i < GROUP; i++) {
      levels[group * GROUP + i] = nearest(f32(f32(values[start + i]! + shift) / unit), 0, most);
    }
  }
}

/** A factor of 6 bits. A negative one, of a group whose values only fit upside down, becomes the largest in ggml. */
const sixBits = (value: number, inverse: number): number =>
  Math.min(63, nearest(f32(inverse * value), -(2 ** 22), 2 ** 22) & 255);

/** Twelve bytes: the first four groups' factors have six bits of a byte each; the others' upper two bits are above those. */
function putSixBits(bytes: Uint8Array, at: number, group: number, scale: number, min: number): void {
  if (group < 4) {
    bytes[at + group] = scale;
    bytes[at + group + 4] = min;
    return;
  }
  bytes[at + group + 4] = (scale & 15) | ((min & 15) << 4);
  bytes[at + group - 4]! |= (scale >> 4) << 6;
  bytes[at + group]! |= (min >> 4) << 6;
}

/** Fifth bits, a bit per group in each of 32 bytes, if there are any; then low bits, two groups side by side. */
function pack(bytes: Uint8Array, at: number, bits: 4 | 5): void {
  const low = bits === 5 ? at + GROUP : at;
  for (let i = 0; i < GROUP; i++) {
    let fifths = 0;
    for (let pair = 0; pair < GROUPS / 2; pair++) {
      const even = levels[2 * pair * GROUP + i]!;
      const odd = levels[(2 * pair + 1) * GROUP + i]!;
      bytes[low + pair * GROUP + i] = (even & 15) | ((odd & 15) << 4);
      fifths |= ((even >> 4) | ((odd >> 4) << 1)) << (2 * pair);
    }
    if (bits === 5) bytes[at + i] = fifths;
  }
}

export const quantizeQ4_K = kQuantizer(4);
export const quantizeQ5_K = kQuantizer(5);
