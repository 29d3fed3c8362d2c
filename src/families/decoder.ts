/** What the configs and checkpoints of today's decoders share: pre-norm blocks, gated feed-forwards, rotary positions. */
import { OTHER_MODEL, refuse, show } from '../base/bad-model';
import { CONFIG, dimension, epsilon, flag, type HeadShape, headShape, initializerRange, RESTORE } from './config';
import { readDropout } from './dropout';
import type { FamilyConfig, TensorSpec } from './family';

export interface DecoderConfig extends FamilyConfig, HeadShape {
  intermediate_size: number;
  rms_norm_eps: number;
}

type Json = Record<string, unknown>;

/** A family's defaults where transformers has others than Llama's. */
export interface DecoderDefaults {
  positions: number;
  kvHeads?: number;
  headDim?: number;
  eps?: number;
  tied?: boolean;
}

export function readDecoder(json: Json, model_type: string, defaults: DecoderDefaults): DecoderConfig {
  const hidden_size = dimension(json, 'hidden_size');
  return {
    model_type,
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
    // Rates that today's decoders have are zero as a rule; Phi-3 alone has some for embeddings and sub-layers.
    dropout: readDropout(json, {
      embeddings: [0],
      attention: ['attention_dropout', 0],
      residual: model_type === 'phi3' ? ['resid_pdrop', 0] : [0],
      classifier: [0],
      tokenClassifier: ['classifier_dropout', 'hidden_dropout', 0.1],
    }),
    initializer_range: initializerRange(json),
  };
}

/** Fields that are left out get a default; null stays, which means something else. */
function withDefaults(json: Json, defaults: Record<string, number | undefined>): Json {
  const missing = Object.entries(defaults).filter(([name, value]) => value !== undefined && json[name] === undefined);
  return { ...json, ...Object.fromEntries(missing) };
}

/** The width of a sliding window, the token itself among it; null where the config has null. */
export function slidingWindow(json: Json, fallback: number | null): number | null {
  const value = json.sliding_window === undefined ? fallback : json.sliding_window;
  return value === null ? null : dimension({ sliding_window: value }, 'sliding_window');
}

const LAYER_TYPES = ['full_attention', 'sliding_attention'];

/** Which layers see through a sliding window: `layer_types`, or the family's own rule where the config has none. */
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
    refuse(`${CONFIG}, sliding_window`, 'Some layers have a sliding window, but config.json says no width.', RESTORE);
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

/** Queries, keys and values apart, as most have them. */
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

/** The whole checkpoint: table, blocks, last norm, and the output projection where it is not the table. */
export function decoderTensors(c: DecoderConfig, block: (at: string) => TensorSpec[]): TensorSpec[] {
  const { vocab_size, hidden_size: d } = c;
  return [
    { name: 'model.embed_tokens.weight', shape: [vocab_size, d] },
    ...Array.from({ length: c.num_hidden_layers }, (_, i) => block(`model.layers.${i}`)).flat(),
    { name: 'model.norm.weight', shape: [d] },
    // A tied checkpoint may still carry a copy of the table as lm_head.weight; transformers ignores it too.
    { name: 'lm_head.weight', shape: [vocab_size, d], optional: c.tie_word_embeddings, copy: c.tie_word_embeddings },
  ];
}

/** Frequencies that old versions of transformers saved. */
export const OLD_BUFFERS = /(^|\.)rotary_emb\.inv_freq$/;
