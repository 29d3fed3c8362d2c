/** Decodes weights from any storage format: the reference that the GPU is checked against, and used for vectors at load. */
import type { WeightFormat } from '../../types';
import type { View } from '../kernel';
import { ggufBlock, NF4_BLOCK, NF4_CODES, NF4_DYNAMIC, NF4_LEVELS, NF4_OUTER, nf4Layout } from './weight-formats';

/** IEEE half to float: exact. */
export function halfToFloat(h: number): number {
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  const sign = h & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let table: Float32Array | null = null;

/** The value of each of the 65536 halves, as a table: quantising a model widens all of it. */
function allHalves(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, half) => halfToFloat(half));
  return table;
}

const { fround } = Math;

/** The 6-bit scale and minimum of the `i`-th of eight sub-blocks; the twelve bytes from `at` hold all of them. */
function sixBits(b: DataView, at: number, i: number): [number, number] {
  const byte = (k: number) => b.getUint8(at + k);
  if (i < 4) return [byte(i) & 63, byte(i + 4) & 63];
  const low = byte(i + 4);
  return [(low & 15) | ((byte(i - 4) >> 6) << 4), (low >> 4) | ((byte(i) >> 6) << 4)];
}

/** Decodes one GGUF block with the rounding of the `gguf` package: each operation in float32. */
const decode: Partial<Record<WeightFormat, (b: DataView, at: number, out: Float32Array, to: number) => void>> = {
  q8_0(b, at, out, to) {
    const d = halfToFloat(b.getUint16(at, true));
    for (let i = 0; i < 32; i++) out[to + i] = d * b.getInt8(at + 2 + i);
  },
  q4_0(b, at, out, to) {
    const d = halfToFloat(b.getUint16(at, true));
    for (let i = 0; i < 32; i++) out[to + i] = d * (nibble(b, at + 2, i) - 8);
  },
  q4_1(b, at, out, to) {
    const d = halfToFloat(b.getUint16(at, true));
    const m = halfToFloat(b.getUint16(at + 2, true));
    for (let i = 0; i < 32; i++) out[to + i] = fround(d * nibble(b, at + 4, i)) + m;
  },
  q5_0(b, at, out, to) {
    const d = halfToFloat(b.getUint16(at, true));
    const high = b.getUint32(at + 2, true);
    for (let i = 0; i < 32; i++) out[to + i] = d * ((nibble(b, at + 6, i) | (((high >>> i) & 1) << 4)) - 16);
  },
  q5_1(b, at, out, to) {
    const d = halfToFloat(b.getUint16(at, true));
    const m = halfToFloat(b.getUint16(at + 2, true));
    const high = b.getUint32(at + 4, true);
    for (let i = 0; i < 32; i++) {
      out[to + i] = fround(d * (nibble(b, at + 8, i) | (((high >>> i) & 1) << 4))) + m;
    }
  },
  q4_k: (b, at, out, to) => decodeK(b, at, out, to, false),
  q5_k: (b, at, out, to) => decodeK(b, at, out, to, true),
  q6_k(b, at, out, to) {
    const d = halfToFloat(b.getUint16(at + 208, true));
    for (let i = 0; i < 256; i++) {
      const half = i >> 7;
      const row = (i >> 5) & 3;
      const low = b.getUint8(at + 64 * half + 32 * (row & 1) + (i & 31)) >> (4 * (row >> 1));
      const high = b.getUint8(at + 128 + 32 * half + (i & 31)) >> (2 * row);
      const q = ((low & 15) | ((high & 3) << 4)) - 32;
      out[to + i] = fround(d * b.getInt8(at + 192 + (i >> 4))) * q;
    }
  },
};

/** Value `i` of 32: the low nibbles of sixteen bytes, then their high nibbles. */
const nibble = (b: DataView, at: number, i: number) => (b.getUint8(at + (i & 15)) >> (i < 16 ? 0 : 4)) & 15;

function decodeK(b: DataView, at: number, out: Float32Array, to: number, fifth: boolean): void {
  const d = halfToFloat(b.getUint16(at, true));
  const dmin = halfToFloat(b.getUint16(at + 2, true));
  for (let s = 0; s < 8; s++) {
    const [scale, min] = sixBits(b, at + 4, s);
    for (let i = 0; i < 32; i++) {
      let q = (b.getUint8(at + (fifth ? 48 : 16) + 32 * (s >> 1) + i) >> (4 * (s & 1))) & 15;
      if (fifth) q |= ((b.getUint8(at + 16 + i) >> s) & 1) << 4;
      out[to + 32 * s + i] = fround(fround(d * scale) * q) - fround(dmin * min);
    }
  }
}

function widenNf4(words: Int32Array, size: number): Float32Array {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  const at = nf4Layout(size);
  const out = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const block = Math.floor(i / NF4_BLOCK);
    const inner = floats[NF4_DYNAMIC + bytes[4 * at.scales + block]!]!;
    const scale = fround(inner * floats[at.outer + Math.floor(block / NF4_OUTER)]!) + floats[0]!;
    const byte = bytes[4 * NF4_CODES + (i >> 1)]!;
    const code = i & 1 ? byte & 15 : byte >> 4;
    out[i] = fround(scale) * floats[NF4_LEVELS + code]!;
  }
  return out;
}

/** Decodes `size` values from their format; `words` is the tensor's own array. */
export function widen(words: View['data'], format: WeightFormat, size: number): Float32Array {
  if (format === 'f32') return words as Float32Array;
  if (format === 'nf4') return widenNf4(words as Int32Array, size);
  const out = new Float32Array(size);
  if (format === 'bf16') {
    const bits = new Int32Array(out.buffer);
    for (let i = 0; i < size; i++) bits[i] = i & 1 ? words[i >> 1]! & 0xffff0000 : words[i >> 1]! << 16;
    return out;
  }
  if (format === 'f16') {
    const halves = new Uint16Array(words.buffer, words.byteOffset, size);
    const values = allHalves();
    for (let i = 0; i < size; i++) out[i] = values[halves[i]!]!;
    return out;
  }
  const { values, bytes } = ggufBlock(format)!;
  const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
  for (let block = 0; block * values < size; block++) decode[format]!(view, block * bytes, out, block * values);
  return out;
}
