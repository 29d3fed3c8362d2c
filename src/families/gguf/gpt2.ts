/** GPT-2 in GGUF, which stores its Conv1D layers as linear ones. */
import type { Gpt2Config } from '../gpt2';
import type { GgufFamily } from './family';
import { float32, uint32, unwritable } from './metadata';

export const gpt2Gguf: GgufFamily<Gpt2Config> = {
  architecture: 'gpt2',
  config: (keys) => ({
    n_embd: keys.need('embedding_length'),
    n_layer: keys.need('block_count'),
    n_head: keys.need('attention.head_count'),
    n_positions: keys.need('context_length'),
    n_inner: keys.need('feed_forward_length'),
    layer_norm_epsilon: keys.need('attention.layer_norm_epsilon'),
    activation_function: 'gelu_new',
  }),
  metadata(config) {
    if (!config.activation.startsWith('gelu')) {
      unwritable('activation_function', `llama.cpp’s GPT-2 computes GELU, not ${config.activation}.`);
    }
    if (!config.scale_attn_weights || config.scale_attn_by_inverse_layer_idx) {
      const field = config.scale_attn_weights ? 'scale_attn_by_inverse_layer_idx' : 'scale_attn_weights';
      unwritable(field, 'llama.cpp’s GPT-2 divides the scores of all layers by the root of the head’s width.');
    }
    return {
      keys: {
        block_count: uint32(config.num_hidden_layers),
        context_length: uint32(config.max_position_embeddings),
        embedding_length: uint32(config.hidden_size),
        feed_forward_length: uint32(config.intermediate_size),
        'attention.head_count': uint32(config.num_attention_heads),
        'attention.layer_norm_epsilon': float32(config.layer_norm_epsilon),
      },
      tables: {},
      notes: [],
    };
  },
  tensors: {
    outer: {
      token_embd: 'transformer.wte',
      position_embd: 'transformer.wpe',
      output_norm: 'transformer.ln_f',
      output: 'lm_head',
    },
    block: 'transformer.h',
    inner: {
      attn_norm: 'ln_1',
      attn_qkv: 'attn.c_attn',
      attn_output: 'attn.c_proj',
      ffn_norm: 'ln_2',
      ffn_up: 'mlp.c_fc',
      ffn_down: 'mlp.c_proj',
    },
    transposed: ['attn_qkv', 'attn_output', 'ffn_up', 'ffn_down'],
  },
};
