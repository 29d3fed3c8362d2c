/** GPT-NeoX in GGUF. */
import type { GptNeoxConfig } from '../gpt-neox';
import type { GgufFamily } from './family';
import { bool, float32, ropeHeader, uint32, unwritable } from './metadata';
import { fusedByPart } from './rows';

const zeroBiases = (layers: number, d: number): Record<string, Float32Array> =>
  Object.fromEntries(
    Array.from({ length: layers }, (_, i) => [
      [`blk.${i}.attn_qkv.bias`, new Float32Array(3 * d)],
      [`blk.${i}.attn_output.bias`, new Float32Array(d)],
    ]).flat() as [string, Float32Array][],
  );

export const gptNeoxGguf: GgufFamily<GptNeoxConfig> = {
  architecture: 'gptneox',
  config(keys) {
    const [hidden, heads] = [keys.need('embedding_length'), keys.need('attention.head_count')];
    return {
      hidden_size: hidden,
      intermediate_size: keys.need('feed_forward_length'),
      num_hidden_layers: keys.need('block_count'),
      num_attention_heads: heads,
      max_position_embeddings: keys.need('context_length'),
      layer_norm_eps: keys.need('attention.layer_norm_epsilon'),
      rotary_pct: (keys.number('rope.dimension_count') ?? hidden / heads) / (hidden / heads),
      rotary_emb_base: keys.number('rope.freq_base') ?? 10_000,
      use_parallel_residual: keys.flag('use_parallel_residual', true),
      hidden_act: 'gelu',
    };
  },
  metadata(config) {
    if (!config.activation.startsWith('gelu')) {
      unwritable('hidden_act', `llama.cpp’s GPT-NeoX computes GELU, not ${config.activation}.`);
    }
    const { num_hidden_layers: layers, hidden_size: d } = config;
    const { keys, tables } = ropeHeader(config.rope);
    return {
      keys: {
        block_count: uint32(layers),
        context_length: uint32(config.max_position_embeddings),
        embedding_length: uint32(d),
        feed_forward_length: uint32(config.intermediate_size),
        'attention.head_count': uint32(config.num_attention_heads),
        'attention.layer_norm_epsilon': float32(config.layer_norm_eps),
        'rope.freq_base': float32(config.rope.theta),
        'rope.dimension_count': uint32(config.rope.dims),
        use_parallel_residual: bool(config.use_parallel_residual),
        ...keys,
      },
      // llama.cpp wants the biases even where there are none.
      tables: config.attention_bias ? tables : { ...tables, ...zeroBiases(layers, d) },
      notes: [],
    };
  },
  tensors: {
    outer: { token_embd: 'gpt_neox.embed_in', output_norm: 'gpt_neox.final_layer_norm', output: 'embed_out' },
    block: 'gpt_neox.layers',
    inner: {
      attn_norm: 'input_layernorm',
      attn_qkv: 'attention.query_key_value',
      attn_output: 'attention.dense',
      ffn_norm: 'post_attention_layernorm',
      ffn_up: 'mlp.dense_h_to_4h',
      ffn_down: 'mlp.dense_4h_to_h',
    },
    rows: { attn_qkv: fusedByPart },
    outputFrom: 'own',
  },
};
