/** GPT2LMHeadModel (transformers, models/gpt2), GPT2Config's defaults. Its linears are Conv1D, stored [in, out]. */
import { type ActivationName, activationOf } from './activation';
import { adaptedModel } from './adapterhub';
import { dimension, epsilon, evenHeads, flag, initializerRange, modelType, refuseFlag } from './config';
import { LM_HEAD } from './decoder';
import { readDropout } from './dropout';
import type { Family, FamilyConfig, TensorSpec } from './family';
import { decoderHeads, tokenHead } from './heads';

export interface Gpt2Config extends FamilyConfig {
  num_attention_heads: number;
  head_dim: number;
  intermediate_size: number;
  activation: ActivationName;
  layer_norm_epsilon: number;
  /** Scores are divided by √head_dim. */
  scale_attn_weights: boolean;
  /** Scores of block i are also divided by i + 1. */
  scale_attn_by_inverse_layer_idx: boolean;
}

const PREFIX = 'transformer.';

export const gpt2: Family<Gpt2Config> = {
  modelType: 'gpt2',
  prefixesWords: true,
  architectures: ['GPT2LMHeadModel'],
  kind: 'decoder',

  readConfig(json) {
    const hidden_size = dimension(json, 'n_embd', 768, 'hidden_size');
    refuseFlag(json, 'add_cross_attention', 'Attention to another model');
    // reorder_and_upcast_attn changes rounding in half precision only; scores are float32 here anyway.
    return {
      model_type: modelType(json),
      vocab_size: dimension(json, 'vocab_size', 50257),
      hidden_size,
      num_hidden_layers: dimension(json, 'n_layer', 12, 'num_hidden_layers'),
      ...evenHeads(json, 'n_head', hidden_size, 12),
      intermediate_size: dimension(json, 'n_inner', 4 * hidden_size, 'intermediate_size'),
      activation: activationOf(json, 'activation_function', 'gelu_new'),
      max_position_embeddings: dimension(json, 'n_positions', 1024, 'max_position_embeddings'),
      layer_norm_epsilon: epsilon(json, 'layer_norm_epsilon', 1e-5),
      scale_attn_weights: flag(json, 'scale_attn_weights', true),
      scale_attn_by_inverse_layer_idx: flag(json, 'scale_attn_by_inverse_layer_idx'),
      tie_word_embeddings: flag(json, 'tie_word_embeddings', true),
      dropout: readDropout(json, {
        embeddings: ['embd_pdrop', 0.1],
        attention: ['attn_pdrop', 0.1],
        residual: ['resid_pdrop', 0.1],
        classifier: [0],
        tokenClassifier: ['classifier_dropout', 'hidden_dropout', 0.1],
      }),
      initializer_range: initializerRange(json),
    };
  },

  // llama.cpp's converter knows the length of the context by the older name only.
  spellings: (_json, { max_position_embeddings: n_ctx }) => ({ n_ctx }),
  llamaCpp: { lora: false },
  mlx: { refused: 'it calls the layers of GPT-2 otherwise.' },
  vllm: 'its GPT-2 takes none.',
  tensors(config) {
    const { vocab_size, hidden_size: d, intermediate_size: ff, max_position_embeddings } = config;
    const conv = (path: string, width: number, out: number): TensorSpec[] => [
      { name: `${path}.weight`, shape: [width, out] },
      { name: `${path}.bias`, shape: [out] },
    ];
    const norm = (path: string): TensorSpec[] => [
      { name: `${path}.weight`, shape: [d] },
      { name: `${path}.bias`, shape: [d] },
    ];
    const specs: TensorSpec[] = [
      { name: `${PREFIX}wte.weight`, shape: [vocab_size, d] },
      { name: `${PREFIX}wpe.weight`, shape: [max_position_embeddings, d] },
    ];
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const at = `${PREFIX}h.${i}`;
      specs.push(
        ...norm(`${at}.ln_1`),
        ...conv(`${at}.attn.c_attn`, d, 3 * d),
        ...conv(`${at}.attn.c_proj`, d, d),
        ...norm(`${at}.ln_2`),
        ...conv(`${at}.mlp.c_fc`, d, ff),
        ...conv(`${at}.mlp.c_proj`, ff, d),
      );
    }
    specs.push(...norm(`${PREFIX}ln_f`), {
      name: 'lm_head.weight',
      shape: [vocab_size, d],
      optional: config.tie_word_embeddings,
      tiedTo: `${PREFIX}wte.weight`,
    });
    return specs;
  },

  // OpenAI's own checkpoints were saved from GPT2Model, which has no prefix.
  storedAs: (name) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []),
  // The causal mask, which old versions saved as a buffer.
  ignored: /(^|\.)attn\.(masked_)?bias$/,
  lmHead: LM_HEAD,

  heads: { ...decoderHeads, tokens: tokenHead('classifier') },
  peft: { ia3: { target_modules: ['c_attn', 'mlp.c_proj'], feedforward_modules: ['mlp.c_proj'] } },
  adapterHub: adaptedModel,
};
