/**
 * ggml's number formats, in which GGUF files store tensors. The quantised ones consist of blocks along the innermost
 * dimension: a few float16 scales, then small integers. `dequantize` is the reference for the kernels; it matches the
 * `gguf` Python package bit for bit (tests/unit/formats/ggml.test.ts).
 */
import { bf16ToF32, f16ToF32, f16Value } from './half';

/** The supported formats: values and bytes per block. */
const BLOCKS = {
  F32: [1, 4],
  F16: [1, 2],
  BF16: [1, 2],
  Q8_0: [32, 34],
  Q4_0: [32, 18],
  Q4_1: [32, 20],
  Q5_0: [32, 22],
  Q5_1: [32, 24],
  Q4_K: [256, 144],
  Q5_K: [256, 176],
  Q6_K: [256, 210],
} as const satisfies Record<string, readonly [values: number, bytes: number]>;

export type GgmlType = keyof typeof BLOCKS;

/** The names of ggml's types by number, including unsupported ones; removed types have none. */
const NAMES: readonly (string | undefined)[] = [
  ...['F32', 'F16', 'Q4_0', 'Q4_1', 'Q4_2', 'Q4_3', 'Q5_0', 'Q5_1', 'Q8_0', 'Q8_1'],
  ...['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_K'],
  ...['IQ2_XXS', 'IQ2_XS', 'IQ3_XXS', 'IQ1_S', 'IQ4_NL', 'IQ3_S', 'IQ2_S', 'IQ4_XS'],
  ...['I8', 'I16', 'I32', 'I64', 'F64', 'IQ1_M', 'BF16'],
  ...[undefined, undefined, undefined, 'TQ1_0', 'TQ2_0', undefined, undefined, undefined, 'MXFP4', 'NVFP4', 'Q1_0'],
];

/** The name of a tensor's type number; undefined if no known version of ggml has it. */
export const ggmlTypeName = (id: number): string | undefined => NAMES[id];

export const ggmlTypeId = (type: GgmlType): number => NAMES.indexOf(type);

export const isGgmlType = (name: string): name is GgmlType => Object.hasOwn(BLOCKS, name);

export const blockValues = (type: GgmlType): number => BLOCKS[type][0];

/** Bytes for `values` values, which must fill whole blocks. */
export const ggmlBytes = (type: GgmlType, values: number): number => (values / BLOCKS[type][0]) * BLOCKS[type][1];

/** `general.file_type`: how most tensors of a file are quantised, by the name used in file names. */
const FILE_TYPES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  7: 'Q8_0',
  8: 'Q5_0',
  9: 'Q5_1',
  14: 'Q4_K_S',
  15: 'Q4_K_M',
  16: 'Q5_K_S',
  17: 'Q5_K_M',
  18: 'Q6_K',
  32: 'BF16',
};
export const ggmlFileType = (id: number): string | undefined => FILE_TYPES[id];

const half = (bytes: Uint8Array, at: number): number => f16Value(bytes[at]! | (bytes[at + 1]! << 8));

/** Decodes the block at `at` into `out` from `to`. Scale × integer is exact in double; the store rounds once. */
type Unpack = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

/** Blocks of 32 4-bit values, low nibbles first. `high` holds the fifth bits; `offset` or `min` shifts the values. */
function blocksOf32(hasMin: boolean, hasHigh: boolean): Unpack {
  const offset = hasMin ? 0 : hasHigh ? 16 : 8;
  return (bytes, at, out, to) => {
    const d = half(bytes, at);
    const min = hasMin ? half(bytes, at + 2) : 0;
    const high = at + (hasMin ? 4 : 2);
    const low = hasHigh ? high + 4 : high;
    for (let i = 0; i < 32; i++) {
      const nibble = (bytes[low + (i & 15)]! >> (i < 16 ? 0 : 4)) & 15;
      const fifth = hasHigh ? ((bytes[high + (i >> 3)]! >> (i & 7)) & 1) << 4 : 0;
      const scaled = d * ((nibble | fifth) - offset);
      out[to + i] = hasMin ? scaled + min : scaled;
    }
  };
}

const unpackQ8: Unpack = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let i = 0; i < 32; i++) out[to + i] = d * ((bytes[at + 2 + i]! << 24) >> 24);
};

/** 256 values in eight groups of 32, each with a 6-bit scale and minimum, packed into 12 bytes. */
function kBlocks(hasHigh: boolean): Unpack {
  return (bytes, at, out, to) => {
    const d = half(bytes, at);
    const dmin = half(bytes, at + 2);
    const scales = at + 4;
    const high = at + 16;
    const low = hasHigh ? high + 32 : high;
    for (let group = 0; group < 8; group++) {
      const s = scales + (group & 3);
      const [a, b, c] = [bytes[s]!, bytes[s + 4]!, bytes[s + 8]!];
      const scale = d * (group < 4 ? a & 63 : (c & 15) | ((a >> 2) & 48));
      const min = dmin * (group < 4 ? b & 63 : (c >> 4) | ((b >> 2) & 48));
      const row = low + (group >> 1) * 32;
      for (let i = 0; i < 32; i++) {
        const nibble = (bytes[row + i]! >> (group & 1 ? 4 : 0)) & 15;
        const fifth = hasHigh ? ((bytes[high + i]! >> group) & 1) << 4 : 0;
        out[to + group * 32 + i] = scale * (nibble | fifth) - min;
      }
    }
  };
}

/** 256 values in sixteen groups of 16 with 8-bit scales: 4 low bits, then 2 high bits, then scales, then d. */
const unpackQ6K: Unpack = (bytes, at, out, to) => {
  const d = half(bytes, at + 208);
  for (let i = 0; i < 256; i++) {
    const upper = i >> 7; // which half of the block
    const quarter = (i >> 5) & 3;
    const column = i & 31;
    const low = (bytes[at + upper * 64 + (quarter & 1) * 32 + column]! >> (quarter < 2 ? 0 : 4)) & 15;
    const high = (bytes[at + 128 + upper * 32 + column]! >> (quarter * 2)) & 3;
    const scale = (bytes[at + 192 + (i >> 4)]! << 24) >> 24;
    out[to + i] = d * scale * ((low | (high << 4)) - 32);
  }
};

const UNPACK: Record<Exclude<GgmlType, 'F32' | 'F16' | 'BF16'>, Unpack> = {
  Q8_0: unpackQ8,
  Q4_0: blocksOf32(false, false),
  Q4_1: blocksOf32(true, false),
  Q5_0: blocksOf32(false, true),
  Q5_1: blocksOf32(true, true),
  Q4_K: kBlocks(false),
  Q5_K: kBlocks(true),
  Q6_K: unpackQ6K,
};

/** Decodes whole blocks to float32. */
export function dequantize(type: GgmlType, bytes: Uint8Array): Float32Array {
  if (type === 'F32' || type === 'F16' || type === 'BF16') {
    const aligned = bytes.slice().buffer;
    if (type === 'F32') return new Float32Array(aligned);
    return type === 'F16' ? f16ToF32(new Uint16Array(aligned)) : bf16ToF32(new Uint16Array(aligned));
  }
  const [values, size] = BLOCKS[type];
  const blocks = bytes.length / size;
  const out = new Float32Array(blocks * values);
  const unpack = UNPACK[type];
  for (let i = 0; i < blocks; i++) unpack(bytes, i * size, out, i * values);
  return out;
}
