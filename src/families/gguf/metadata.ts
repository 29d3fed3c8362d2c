/**
 * From a config.json to GGUF's metadata: what `GgufFamily.config` reads, written. llama.cpp decides the rest by the name of the
 * architecture, so what it would compute in another way without a word is refused here.
 */
import { refuse } from '../../base/bad-model';
import { CONFIG } from '../config';
import type { DecoderConfig } from '../decoder';
import type { Rope } from '../rope';
import type { GgufField, GgufHeader } from './family';
import { llama3Factors } from './rope';

export const uint32 = (value: number): GgufField => ({ type: 'uint32', value });
export const float32 = (value: number): GgufField => ({ type: 'float32', value });
export const bool = (value: boolean): GgufField => ({ type: 'bool', value });
const string = (value: string): GgufField => ({ type: 'string', value });

/** Throws `bad_model`: llama.cpp has no key for this field of the config, and would compute another model. */
export const unwritable = (field: string, message: string): never =>
  refuse(`${CONFIG}, ${field}`, message, 'Export the model for transformers instead.');

/** The keys that decoders with RMS norms and rotary positions share; those of `decoderFields`. */
export function decoderKeys(config: DecoderConfig, rope: Rope): Record<string, GgufField> {
  return {
    block_count: uint32(config.num_hidden_layers),
    context_length: uint32(config.max_position_embeddings),
    embedding_length: uint32(config.hidden_size),
    feed_forward_length: uint32(config.intermediate_size),
    'attention.head_count': uint32(config.num_attention_heads),
    'attention.head_count_kv': uint32(config.num_key_value_heads),
    'attention.key_length': uint32(config.head_dim),
    'attention.value_length': uint32(config.head_dim),
    'attention.layer_norm_rms_epsilon': float32(config.rms_norm_eps),
    'rope.freq_base': float32(rope.theta),
    'rope.dimension_count': uint32(rope.dims),
  };
}

/** A table of factors, which only some of llama.cpp's architectures read. */
const ROPE_FREQS = 'rope_freqs.weight';

/**
 * Scaled positions: by keys that every architecture reads, or by a table. `ggufRope(rope, { table: true })` for those that read one.
 */
export function ropeHeader(rope: Rope, { table = false } = {}): Pick<GgufHeader, 'keys' | 'tables'> {
  const { theta, dims, scaling } = rope;
  const named = (kind: string, factor: number) => ({
    'rope.scaling.type': string(kind),
    'rope.scaling.factor': float32(factor),
  });
  switch (scaling?.rope_type) {
    case undefined:
      return { keys: {}, tables: {} };
    case 'linear':
      return { keys: named('linear', scaling.factor), tables: {} };
    case 'yarn': {
      const usual = scaling.factor <= 1 ? 1 : 0.1 * Math.log(scaling.factor) + 1;
      if (Math.abs(scaling.attention_factor / usual - 1) > 1e-6) {
        unwritable('rope_parameters', 'llama.cpp computes YaRN’s attention_factor itself, and this model has another.');
      }
      if (!scaling.truncate) {
        unwritable(
          'rope_parameters',
          'llama.cpp rounds the bounds of YaRN, and this model does not (truncate: false).',
        );
      }
      return {
        keys: {
          ...named('yarn', scaling.factor),
          'rope.scaling.original_context_length': uint32(scaling.original_max_position_embeddings),
          'rope.scaling.yarn_beta_fast': float32(scaling.beta_fast),
          'rope.scaling.yarn_beta_slow': float32(scaling.beta_slow),
        },
        tables: {},
      };
    }
    case 'llama3': {
      if (!table) return unwritable('rope_parameters', 'llama.cpp scales positions as Llama 3 does for Llama only.');
      const {
        factor,
        low_freq_factor: low,
        high_freq_factor: high,
        original_max_position_embeddings: context,
      } = scaling;
      const factors = Float32Array.from(llama3Factors(theta, dims, { factor, low, high, context }));
      return { keys: {}, tables: { [ROPE_FREQS]: factors } };
    }
    default:
      return unwritable('rope_parameters', `llama.cpp does not scale this model’s positions by ${scaling?.rope_type}.`);
  }
}

/** llama.cpp's queries are as wide as the hidden states in some architectures, whatever the head's width. */
export function needsWholeHeads({ num_attention_heads, head_dim, hidden_size }: DecoderConfig): void {
  if (num_attention_heads * head_dim === hidden_size) return;
  unwritable(
    'head_dim',
    `llama.cpp takes heads of this family to share the ${hidden_size} hidden values, and ${num_attention_heads} heads of ${head_dim} do not.`,
  );
}

/** Windows that llama.cpp does not compute in this architecture: what is longer comes out differently. */
export function windowNotes(windows: readonly (number | null)[], context: number): string[] {
  const width = Math.min(...windows.map((window) => window ?? Number.POSITIVE_INFINITY));
  if (!(width < context)) return [];
  return [
    `llama.cpp computes this model without its sliding window of ${width} tokens, so longer texts come out a little differently there.`,
  ];
}

/** Which layers have a window: every n-th has none, or a list. */
export function windowPattern(sliding: readonly boolean[]): GgufField {
  const period = sliding.indexOf(false) + 1;
  const regular = period > 0 && sliding.every((is, i) => is === ((i + 1) % period !== 0));
  return regular ? uint32(period) : { type: 'bools', value: sliding };
}
