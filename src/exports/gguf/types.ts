/**
 * Which format each tensor of a GGUF file has, as llama.cpp's quantiser chooses it (without an importance matrix): a file's type names
 * the format of most. tests/fixtures/quantize/types.json has llama.cpp's own choices.
 */
import { blockValues, type GgmlType } from '../../formats/ggml';

export type GgufFileType = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q4_0' | 'q4_k_m';

interface FileType {
  /** `general.file_type` */
  id: number;
  /** As file names have it: `model-Q4_K_M.gguf`. */
  label: string;
  /** Of most tensors. */
  most: GgmlType;
}

export const GGUF_FILE_TYPES: Readonly<Record<GgufFileType, FileType>> = {
  f32: { id: 0, label: 'F32', most: 'F32' },
  f16: { id: 1, label: 'F16', most: 'F16' },
  bf16: { id: 32, label: 'BF16', most: 'BF16' },
  q8_0: { id: 7, label: 'Q8_0', most: 'Q8_0' },
  q4_0: { id: 2, label: 'Q4_0', most: 'Q4_0' },
  q4_k_m: { id: 15, label: 'Q4_K_M', most: 'Q4_K' },
};

export interface TypedTensor {
  /** In the file: `blk.0.attn_q.weight`. */
  name: string;
  /** Row-major: [out, in]. */
  shape: readonly number[];
}

export interface TypedModel {
  /** Blocks. */
  layers: number;
  /** The file has no `output.weight`: the embedding is the output projection too. */
  tied: boolean;
}

export function tensorType(tensor: TypedTensor, { layers, tied }: TypedModel, fileType: GgufFileType): GgmlType {
  const { name, shape } = tensor;
  if (!isQuantised(tensor)) return 'F32';
  const { most } = GGUF_FILE_TYPES[fileType];
  if (blockValues(most) === 1) return most;
  const row = shape.at(-1)!;
  if (name === 'output.weight' || (tied && name === 'token_embd.weight')) {
    const fits = most !== 'Q8_0' && row % blockValues(most) === 0;
    return fitting(fits ? 'Q6_K' : 'Q8_0', row);
  }
  return fitting(fileType === 'q4_k_m' && takesMoreBits(name, layers) ? 'Q6_K' : most, row);
}

/** Matrices, but for positions and token types. Vectors are small, and norms sensitive. */
function isQuantised({ name, shape }: TypedTensor): boolean {
  return shape.length > 1 && name.endsWith('weight') && !/_norm\.weight$|^(position_embd|token_types)\./.test(name);
}

/** Values, and what leads out of the feed-forward, in the first and last eighth of the blocks and every third between. */
function takesMoreBits(name: string, layers: number): boolean {
  const layer = /^blk\.(\d+)\.(?:attn_v\.weight|attn_qkv\.weight|ffn_down)/.exec(name)?.[1];
  if (layer === undefined) return false;
  const i = Number(layer);
  const eighth = Math.floor(layers / 8);
  return i < eighth || i >= Math.floor((7 * layers) / 8) || (i - eighth) % 3 === 2;
}

/** What stands in where rows are no whole number of blocks; blocks of 32 with about as many bits, else none. */
const SMALLER: Partial<Record<GgmlType, GgmlType>> = { Q4_K: 'Q5_0', Q6_K: 'Q8_0' };

function fitting(type: GgmlType, row: number): GgmlType {
  if (row % blockValues(type) === 0) return type;
  const smaller = SMALLER[type];
  return smaller && row % blockValues(smaller) === 0 ? smaller : 'F16';
}
