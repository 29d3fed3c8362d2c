/**
 * Q6_K: 256 values in sixteen groups of 16, each with a scale of 8 bits, which a float16 of the block multiplies. The bytes are those of
 * ggml's reference quantiser.
 */
import { f16Value } from '../half';
import { nearest, putF16, type Quantizer } from './quantizer';
import { fillLanes, LANES, searchOf } from './searches';

const f32 = Math.fround;
const BLOCK = 256;
const BYTES = 210;
const GROUP = 16;
const GROUPS = BLOCK / GROUP;
/** Levels are −32 … 31, stored with 32 added. */
const MIDDLE = 32;
/** What counts as zero. */
const LEAST = f32(1e-15);

// Of the block being written.
const scales = new Float32Array(GROUPS);
const levels = new Uint8Array(BLOCK);

export const quantizeQ6_K: Quantizer = (values, bytes) => {
  const search = searchOf('symmetric');
  for (let from = 0, at = 0; from < values.length; from += BLOCK, at += BYTES) {
    for (let group = 0; group < GROUPS; group += LANES) {
      fillLanes(search, values, from + group * GROUP, GROUP);
      search.run();
      for (let lane = 0; lane < LANES; lane++) {
        scales[group + lane] = search.scales[lane]!;
        for (let i = 0; i < GROUP; i++) {
          levels[(group + lane) * GROUP + i] = MIDDLE + search.levels[i * LANES + lane]!;
        }
      }
    }
    let extreme = 0;
    for (const scale of scales) if (Math.abs(scale) > Math.abs(extreme)) extreme = scale;
    if (Math.abs(extreme) < LEAST) {
      bytes.fill(0, at, at + BYTES);
      continue;
    }
    putFactors(bytes, at, values, from, extreme);
    pack(bytes, at);
  }
};

/** Rounds the groups' scales to the block's factors, and chooses the levels once more for them as they are then. */
function putFactors(bytes: Uint8Array, at: number, values: Float32Array, from: number, extreme: number): void {
  const inverse = f32(-128 / extreme);
  putF16(bytes, at + 208, f32(1 / inverse));
  const d = f16Value(bytes[at + 208]! | (bytes[at + 209]! << 8));
  for (let group = 0; group < GROUPS; group++) {
    const factor = (nearest(f32(inverse * scales[group]!), -(2 ** 22), 127) << 24) >> 24;
    bytes[at + 192 + group] = factor;
    const unit = f32(d * factor);
    if (unit === 0) continue;
    const start = from + group * GROUP;
    for (let i = 0; i < GROUP; i++) {
      levels[group * GROUP + i] = MIDDLE + nearest(f32(values[start + i]! / unit), -MIDDLE, MIDDLE - 1);
    }
  }
}

/** Each half of a block: four low bits of value i with those of i + 64, then two high bits of i, i + 32, i + 64, i + 96. */
function pack(bytes: Uint8Array, at: number): void {
  for (let half = 0; half < 2; half++) {
    for (let i = 0; i < 32; i++) {
      const from = half * 128 + i;
      const [a, b, c, d] = [levels[from]!, levels[from + 32]!, levels[from + 64]!, levels[from + 96]!];
      bytes[at + half * 64 + i] = (a & 15) | ((c & 15) << 4);
      bytes[at + half * 64 + 32 + i] = (b & 15) | ((d & 15) << 4);
      bytes[at + 128 + half * 32 + i] = (a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((d >> 4) << 6);
    }
  }
}
