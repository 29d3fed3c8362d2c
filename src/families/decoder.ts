/** What the configs and checkpoints of today's decoders share: pre-norm blocks, GLU feed-forwards, rotary positions. */
import { OTHER_MODEL, refuse, show } from '../base/bad-model';
import {
  CONFIG,
  dimension,
  epsilon,
  flag,
  type HeadShape,
  headShape,
  initializerRange,
  modelType,
  RESTORE,
} from './config';
import { readDropout } from './dropout';
import type { FamilyConfig, TensorSpec } from './family';

export interface DecoderConfig extends FamilyConfig, HeadShape {
  intermediate_size: number;
  rms_norm_eps: number;
}

type Json = Record<string, unknown>;

/** A family's defaults. */
export interface DecoderDefaults {
  positions: number;
  kvHeads?: number;
  headDim?: number;
  eps?: number;
  tied?: boolean;
  /** The field with the dropout rate of what attention and feed-forward add; most families have none. */
  residualDropout?: string;
}

export function readDecoder(json: Json, defaults: DecoderDefaults): DecoderConfig {
  const hidden_size = dimension(json, 'hidden_size');
  return {
    model_type: modelType(json),
    vocab_size: dimension(json, 'vocab_size'),
    hidden_size,
    intermediate_size: dimension(json, 'intermediate_size'),
    num_hidden_layers: dimension(json, 'num_hidden_layers'),
    ...headShape(
      withDefaults(json, { num_key_value_heads: defaults.kvHeads, head_dim: defaults.headDim }),
      hidden_size,
    ),
    max_position_embeddings: dimension(json, 'max_position_embeddings', defaults.positions),
    rms_norm_eps: epsilon(json, 'rms_norm_eps', defaults.eps ?? 1e-6),
    tie_word_embeddings: flag(json, 'tie_word_embeddings', defaults.tied),
    dropout: readDropout(json, {
      embeddings: [0],
      attention: ['attention_dropout', 0],
      residual: defaults.residualDropout ? [defaults.residualDropout, 0] : [0],
      classifier: [0],
      tokenClassifier: ['classifier_dropout', 'hidden_dropout', 0.1],
    }),
    initializer_range: initializerRange(json),
  };
}

/** Missing fields get a default; null stays, since it means something else. */
function withDefaults(json: Json, defaults: Record<string, number | undefined>): Json {
  const missing = Object.entries(defaults).filter(([name, value]) => value !== undefined && json[name] === undefined);
  return { ...json, ...Object.fromEntries(missing) };
}

/** Width of a sliding window, counting the token itself; null if the config has null. */
export function slidingWindow(json: Json, fallback: number | null): number | null {
  const value = json.sliding_window === undefined ? fallback : json.sliding_window;
  return value === null ? null : dimension({ sliding_window: value }, 'sliding_window');
}

const LAYER_TYPES = ['full_attention', 'sliding_attention'];

/** Which layers have a sliding window: `layer_types`, or the family's own rule if the config has none. */
export function slidingLayers(json: Json, layers: number, rule: (layer: number) => boolean): boolean[] {
  const types = json.layer_types ?? null;
  if (types === null) return Array.from({ length: layers }, (_, i) => rule(i));
  const where = `${CONFIG}, layer_types`;
  if (!Array.isArray(types) || types.length !== layers) {
    const count = Array.isArray(types) ? `${types.length} types` : show(types);
    refuse(where, `layer_types has ${count} for ${layers} layers.`, RESTORE);
  }
  const other = types.find((type) => !LAYER_TYPES.includes(type));
  if (other !== undefined) refuse(where, `Layers of the type ${show(other)} cannot be computed.`, OTHER_MODEL);
  return types.map((type) => type === 'sliding_attention');
}

/** The window of each layer. */
export function layerWindows(sliding: boolean[], window: number | null): (number | null)[] {
  if (window === null && sliding.includes(true)) {
    refuse(`${CONFIG}, sliding_window`, 'Some layers have a sliding window, but config.json gives no width.', RESTORE);
  }
  return sliding.map((is) => (is ? window : null));
}

/** Linears [out, in] by their paths below a layer. */
export function linearSpecs(at: string, linears: [path: string, out: number, width: number, bias: boolean][]) {
  return linears.flatMap(([path, out, width, bias]): TensorSpec[] => [
    { name: `${at}.${path}.weight`, shape: [out, width] },
    ...(bias ? [{ name: `${at}.${path}.bias`, shape: [out] }] : []),
  ]);
}

/** Separate queries, keys and values. */
export function attentionSpecs(c: DecoderConfig, at: string, bias: { qkv: boolean; o: boolean }): TensorSpec[] {
  const q = c.num_attention_heads * c.head_dim;
  const kv = c.num_key_value_heads * c.head_dim;
  return linearSpecs(at, [
    ['self_attn.q_proj', q, c.hidden_size, bias.qkv],
    ['self_attn.k_proj', kv, c.hidden_size, bias.qkv],
    ['self_attn.v_proj', kv, c.hidden_size, bias.qkv],
    ['self_attn.o_proj', c.hidden_size, q, bias.o],
  ]);
}

export function feedForwardSpecs(c: DecoderConfig, at: string, bias = false): TensorSpec[] {
  return linearSpecs(at, [
    ['mlp.gate_proj', c.intermediate_size, c.hidden_size, bias],
    ['mlp.up_proj', c.intermediate_size, c.hidden_size, bias],
    ['mlp.down_proj', c.hidden_size, c.intermediate_size, bias],
  ]);
}

/** Norms of `size` values by their paths below a layer. */
export function normSpecs(at: string, size: number, ...paths: string[]): TensorSpec[] {
  return paths.map((path) => ({ name: `${at}.${path}.weight`, shape: [size] }));
}

/** The whole checkpoint: embedding, blocks, last norm, and the output projection unless it is the embedding. */
export function decoderTensors(c: DecoderConfig, block: (at: string) => TensorSpec[]): TensorSpec[] {
  const { vocab_size, hidden_size: d } = c;
  return [
    { name: 'model.embed_tokens.weight', shape: [vocab_size, d] },
    ...Array.from({ length: c.num_hidden_layers }, (_, i) => block(`model.layers.${i}`)).flat(),
    { name: 'model.norm.weight', shape: [d] },
    {
      name: 'lm_head.weight',
      shape: [vocab_size, d],
      optional: c.tie_word_embeddings,
      tiedTo: 'model.embed_tokens.weight',
    },
  ];
}

/** Models saved from the class without an output projection (Qwen3-Embedding's, for example) have no prefix. */
export const decoderStoredAs = (name: string): string[] =>
  name.startsWith('model.') ? [name.slice('model.'.length)] : [];

/** The output projection. */
export const LM_HEAD = /^lm_head\./;

/** Frequencies that old versions of transformers saved. */
export const OLD_BUFFERS = /(^|\.)rotary_emb\.inv_freq$/;
