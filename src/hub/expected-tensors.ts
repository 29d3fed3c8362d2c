/** Which tensors a model of a config has, by Hugging Face's names. A linear is stored [out, in]. */
import type { ModelConfig } from './config';

export interface ExpectedTensor {
  shape: number[];
  /** May be missing: lm_head.weight, where it is the embedding itself. */
  optional: boolean;
}

/** Saved by old versions of transformers, and computed from the config by all of them. */
export const IGNORED_TENSORS = /(^|\.)rotary_emb\.inv_freq$/;

/** LlamaForCausalLM (transformers, models/llama/modeling_llama.py). */
function llamaTensors(config: ModelConfig): Map<string, ExpectedTensor> {
  const { vocab_size, hidden_size: d, intermediate_size: ff, head_dim } = config;
  const q = config.num_attention_heads * head_dim;
  const kv = config.num_key_value_heads * head_dim;
  const linears: [path: string, out: number, width: number, bias: boolean][] = [
    ['self_attn.q_proj', q, d, config.attention_bias],
    ['self_attn.k_proj', kv, d, config.attention_bias],
    ['self_attn.v_proj', kv, d, config.attention_bias],
    ['self_attn.o_proj', d, q, config.attention_bias],
    ['mlp.gate_proj', ff, d, config.mlp_bias],
    ['mlp.up_proj', ff, d, config.mlp_bias],
    ['mlp.down_proj', d, ff, config.mlp_bias],
  ];
  const tensors = new Map<string, ExpectedTensor>();
  const add = (name: string, shape: number[], optional = false) => tensors.set(name, { shape, optional });

  add('model.embed_tokens.weight', [vocab_size, d]);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `model.layers.${i}`;
    for (const [path, out, width, bias] of linears) {
      add(`${layer}.${path}.weight`, [out, width]);
      if (bias) add(`${layer}.${path}.bias`, [out]);
    }
    add(`${layer}.input_layernorm.weight`, [d]);
    add(`${layer}.post_attention_layernorm.weight`, [d]);
  }
  add('model.norm.weight', [d]);
  add('lm_head.weight', [vocab_size, d], config.tie_word_embeddings);
  return tensors;
}

const FAMILIES: Record<string, (config: ModelConfig) => Map<string, ExpectedTensor>> = { llama: llamaTensors };

/** For a config that passed its check; in the order of the forward pass. */
export function expectedTensors(config: ModelConfig): Map<string, ExpectedTensor> {
  return FAMILIES[config.model_type]!(config);
}
