/**
 * A family in llama.cpp's file format: the name of its architecture, how config.json follows from the metadata, and what
 * its tensors are called. Converters (convert_hf_to_gguf.py) rename tensors, and for some families reorder rows or add 1 to
 * norms; the descriptor says so, and reading undoes it.
 */
import { OTHER_MODEL, refuse } from '../../base/bad-model';
import type { FamilyConfig } from '../family';
import { llama3Scaling, scalingFromKeys } from './rope';
import type { RowOrder } from './rows';

type Json = Record<string, unknown>;

/** The metadata of one architecture: `keys.number('block_count')` is `llama.block_count`. */
export interface GgufKeys {
  /** The file's name, for messages. */
  where: string;
  /** The file and a key, for messages. */
  at(name: string): string;
  text(name: string): string | null;
  flag(name: string, fallback: boolean): boolean;
  /** Null if there is none. A list of equal numbers, one per layer, counts as one number. */
  number(name: string): number | null;
  /** One entry per layer. */
  list(name: string): unknown[] | null;
  /** Throws `bad_model` if there is none. */
  need(name: string): number;
  has(tensor: string): boolean;
}

/** Small tables of float32 values that some files have. */
export interface RopeTables {
  freqs: Float32Array | null;
  long: Float32Array | null;
  short: Float32Array | null;
}

export interface GgufTensors {
  /** Modules outside the blocks. */
  outer: Record<string, string>;
  /** The path of the blocks, without a number. */
  block: string;
  /** Modules of a block. */
  inner: Record<string, string>;
  /** Modules whose rows are stored in another order than Hugging Face's. */
  rows?: Record<string, RowOrder>;
  /** Modules stored [out, in] that Hugging Face stores [in, out] (GPT-2's Conv1D). */
  transposed?: readonly string[];
  /** Norms are stored as 1 + weight (Gemma). */
  plusOne?: boolean;
  /**
   * The output projection: `embedding` if llama.cpp always takes the embedding for it, `own` if a file must have one. Left out: a file
   * may have one.
   */
  outputFrom?: 'embedding' | 'own';
}

/** A value of the metadata, with the type that llama.cpp expects. */
export type GgufField =
  | { type: 'uint32' | 'int32' | 'float32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'bools'; value: readonly boolean[] };

export interface GgufHeader {
  /** Under the architecture's prefix: `block_count`. */
  keys: Record<string, GgufField>;
  /** Small tensors that the checkpoint does not have, one-dimensional float32. */
  tables: Record<string, Float32Array>;
  /** What llama.cpp computes otherwise, a sentence each. */
  notes: string[];
}

/** `C` is the family's config. */
export interface GgufFamily<C = FamilyConfig> {
  /** general.architecture. */
  architecture: string;
  /** Tells families of one architecture apart: the first whose condition holds, else the first without a condition. */
  when?(keys: GgufKeys): boolean;
  /** The family's own fields of config.json: all but the class, the vocabulary's size, tying and special tokens. */
  config(keys: GgufKeys, tables: RopeTables): Json;
  /** The reverse. `json` is config.json itself. Throws `bad_model` for a setting that llama.cpp's architecture does not have. */
  metadata(config: C, json: Json): GgufHeader;
  tensors: GgufTensors;
  /** In SentencePiece vocabularies, whether a control or user-defined token swallows the white space after it. */
  swallowsSpace?(token: string): boolean;
}

/** 0.00001 for the float32 0.000009999999747378752: the number as it was before it became a float32. */
export function shortest(value: number): number {
  if (Number.isInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** Width of a head; keys and values must agree. */
function headDim(keys: GgufKeys): number {
  const width =
    keys.number('attention.key_length') ?? keys.need('embedding_length') / keys.need('attention.head_count');
  const values = keys.number('attention.value_length') ?? width;
  if (values !== width) refuse(keys.at('attention.value_length'), 'Keys and values differ in width.', OTHER_MODEL);
  return width;
}

/** The fields that decoders with RMS norms and rotary positions share. */
export function decoderFields(keys: GgufKeys) {
  const heads = keys.need('attention.head_count');
  return {
    hidden_size: keys.need('embedding_length'),
    intermediate_size: keys.need('feed_forward_length'),
    num_hidden_layers: keys.need('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: keys.number('attention.head_count_kv') ?? heads,
    head_dim: headDim(keys),
    max_position_embeddings: keys.need('context_length'),
    rms_norm_eps: keys.need('attention.layer_norm_rms_epsilon'),
    rope_theta: keys.number('rope.freq_base') ?? 10_000,
  };
}

/** `rope_scaling`, from the table of factors if the file has one, else from keys; empty without scaling. */
export function ropeScaling(
  keys: GgufKeys,
  { freqs }: RopeTables,
  { rope_theta, head_dim }: { rope_theta: number; head_dim: number },
): Json {
  if (!freqs) return scalingFromKeys(keys, keys.at('rope.scaling.type'));
  return llama3Scaling(freqs, rope_theta, head_dim, `${keys.where}, rope_freqs.weight`);
}

/** Width of the sliding window; null if there is none, which files also write as 0. */
export const ggufWindow = (keys: GgufKeys): number | null => keys.number('attention.sliding_window') || null;

/** Modules of a decoder's block under the names that most families share. */
export const ggufAttention = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
};
export const ggufHeadNorms = { attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' };
export const ggufFeedForward = {
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

export const ggufDecoder = (inner: Record<string, string>): GgufTensors => ({
  outer: { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' },
  block: 'model.layers',
  inner,
});
