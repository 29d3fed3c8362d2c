/**
 * The storage formats of weights: how many values a block holds and in how many bytes.
 *
 * GGUF's blocks (ggml-common.h, block_q*) divide each row. NF4 is bitsandbytes' (QLoRA): blocks of 64 values over the whole
 * tensor, regardless of row ends, with scales that are quantised in turn. One buffer holds
 *
 *   offset     one f32: the scale of a block is dynamic[its code] · outer + offset
 *   levels     16 f32, the values of the 4-bit codes
 *   dynamic    256 f32, the values of the scales' 8-bit codes
 *   codes      values / 2 bytes, the first value of a byte in its upper half
 *   scales     one byte per block
 *   outer      one f32 per 256 scales
 *
 * each padded to whole words.
 */
import type { WeightFormat } from '../../types';

export interface BlockLayout {
  values: number;
  bytes: number;
}

const GGUF_BLOCKS: Partial<Record<WeightFormat, BlockLayout>> = {
  q8_0: { values: 32, bytes: 34 },
  q4_0: { values: 32, bytes: 18 },
  q4_1: { values: 32, bytes: 20 },
  q5_0: { values: 32, bytes: 22 },
  q5_1: { values: 32, bytes: 24 },
  q4_k: { values: 256, bytes: 144 },
  q5_k: { values: 256, bytes: 176 },
  q6_k: { values: 256, bytes: 210 },
};

export const ggufBlock = (format: WeightFormat): BlockLayout | undefined => GGUF_BLOCKS[format];

export const NF4_BLOCK = 64;
/** Scales that share an outer scale. */
export const NF4_OUTER = 256;

/** Where the fixed sections of an NF4 tensor start, in words; the offset comes first. */
export const NF4_LEVELS = 1;
export const NF4_DYNAMIC = 17;
export const NF4_CODES = 273;

/** Where the other sections start in a tensor of `size` values, and how long it is. */
export function nf4Layout(size: number) {
  const blocks = Math.ceil(size / NF4_BLOCK);
  const scales = NF4_CODES + Math.ceil(size / 8);
  const outer = scales + Math.ceil(blocks / 4);
  return { blocks, scales, outer, words: outer + Math.ceil(blocks / NF4_OUTER) };
}

/** 32-bit words that a matrix takes on the GPU. */
export function weightWords(format: WeightFormat, rows: number, columns: number): number {
  const size = rows * columns;
  if (format === 'f32') return size;
  if (format === 'f16' || format === 'bf16') return Math.ceil(size / 2);
  if (format === 'nf4') return nf4Layout(size).words;
  const { values, bytes } = ggufBlock(format)!;
  return Math.ceil(((size / values) * bytes) / 4);
}
