/** Phi-3 in GGUF. LongRoPE's factors are tables there. */
import { dimension } from '../config';
import { originalContext, type Phi3Config } from '../phi3';
import { type Rope, section } from '../rope';
import { decoderFields, type GgufFamily, ggufDecoder, ggufWindow, shortest } from './family';
import { decoderKeys, float32, needsWholeHeads, ropeHeader, uint32, windowNotes } from './metadata';

/** llama.cpp takes the long factors for a context that is longer than the original one. */
function longRope(json: Record<string, unknown>, { scaling }: Rope) {
  const given = { ...section(json, 'rope_parameters'), ...section(json, 'rope_scaling') };
  const table = (name: string) => Float32Array.from(given[name] as number[]);
  const { attention_factor } = scaling as Extract<Rope['scaling'], { rope_type: 'longrope' }>;
  return {
    keys: { 'rope.scaling.attn_factor': float32(attention_factor) },
    tables: {
      'rope_factors_long.weight': table('long_factor'),
      'rope_factors_short.weight': table('short_factor'),
    },
  };
}

export const phi3Gguf: GgufFamily<Phi3Config> = {
  architecture: 'phi3',
  config(keys, { long, short }) {
    const fields = decoderFields(keys);
    const turning = keys.number('rope.dimension_count') ?? fields.head_dim;
    const original = keys.number('rope.scaling.original_context_length') ?? fields.max_position_embeddings;
    return {
      ...fields,
      partial_rotary_factor: turning / fields.head_dim,
      original_max_position_embeddings: original,
      sliding_window: ggufWindow(keys),
      ...(long &&
        short && {
          rope_scaling: {
            rope_type: 'longrope',
            short_factor: Array.from(short, shortest),
            long_factor: Array.from(long, shortest),
          },
        }),
    };
  },
  metadata(config, json) {
    needsWholeHeads(config);
    const { rope, sliding_window } = config;
    // Of the whole model: here it is held to the context before LongRoPE.
    const context = dimension(json, 'max_position_embeddings', 4096);
    const long = rope.scaling?.rope_type === 'longrope';
    const { keys, tables } = long ? longRope(json, rope) : ropeHeader(rope);
    return {
      keys: {
        ...decoderKeys(config, rope),
        context_length: uint32(context),
        'rope.scaling.original_context_length': uint32(originalContext(json)),
        // 0 tells Phi-4 from the models with a window.
        'attention.sliding_window': uint32(sliding_window ?? 0),
        ...keys,
      },
      tables,
      notes: windowNotes([sliding_window], context),
    };
  },
  tensors: ggufDecoder({
    attn_norm: 'input_layernorm',
    attn_qkv: 'self_attn.qkv_proj',
    attn_output: 'self_attn.o_proj',
    ffn_norm: 'post_attention_layernorm',
    ffn_up: 'mlp.gate_up_proj',
    ffn_down: 'mlp.down_proj',
  }),
  swallowsSpace: (token) => !/^<(unk|s|\|endoftext\|)>$/.test(token),
};
