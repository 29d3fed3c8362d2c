/** GPTNeoXForCausalLM (transformers, models/gpt_neox; Pythia), GPTNeoXConfig's defaults. */
import { type ActivationName, activationOf } from './activation';
import { fusedAttention, interfacedModel } from './adapterhub';
import { dimension, epsilon, evenHeads, flag, initializerRange, modelType, positive } from './config';
import { readDropout } from './dropout';
import type { Family, FamilyConfig, TensorSpec } from './family';
import { decoderHeads, tokenHead } from './heads';
import { type Rope, readRopeFields, section } from './rope';

export interface GptNeoxConfig extends FamilyConfig {
  num_attention_heads: number;
  head_dim: number;
  intermediate_size: number;
  activation: ActivationName;
  layer_norm_eps: number;
  attention_bias: boolean;
  /** Attention and feed-forward both read the block's input, and both are added to it. */
  use_parallel_residual: boolean;
  rope: Rope;
}

const PREFIX = 'gpt_neox.';

type Json = Record<string, unknown>;

/** Pythia's configs have rotary_emb_base and rotary_pct; transformers 5 writes both into `rope_parameters`. */
function ropeOf(json: Json, headDim: number, positions: number): Rope {
  const older = section(json, 'rope_scaling');
  const field = Object.keys(older).length > 0 ? 'rope_scaling' : 'rope_parameters';
  const inherited = {
    rope_theta: positive(json, 'rotary_emb_base', 10_000),
    partial_rotary_factor: positive(json, 'rotary_pct', 0.25),
  };
  const setting = { kinds: ['default', 'linear', 'dynamic'], headDim, positions, partial: true } as const;
  return readRopeFields(section(json, field), field, setting, inherited);
}

export const gptNeox: Family<GptNeoxConfig> = {
  modelType: 'gpt_neox',
  prefixesWords: true,
  architectures: ['GPTNeoXForCausalLM'],
  kind: 'decoder',

  readConfig(json) {
    const hidden_size = dimension(json, 'hidden_size', 6144);
    const max_position_embeddings = dimension(json, 'max_position_embeddings', 2048);
    const heads = evenHeads(json, 'num_attention_heads', hidden_size, 64);
    return {
      model_type: modelType(json),
      vocab_size: dimension(json, 'vocab_size', 50432),
      hidden_size,
      num_hidden_layers: dimension(json, 'num_hidden_layers', 44),
      ...heads,
      intermediate_size: dimension(json, 'intermediate_size', 24576),
      activation: activationOf(json, 'hidden_act', 'gelu'),
      max_position_embeddings,
      layer_norm_eps: epsilon(json, 'layer_norm_eps', 1e-5),
      attention_bias: flag(json, 'attention_bias', true),
      use_parallel_residual: flag(json, 'use_parallel_residual', true),
      rope: ropeOf(json, heads.head_dim, max_position_embeddings),
      tie_word_embeddings: flag(json, 'tie_word_embeddings'),
      dropout: readDropout(json, {
        embeddings: ['hidden_dropout', 0],
        attention: ['attention_dropout', 0],
        residual: ['hidden_dropout', 0],
        classifier: [0],
        tokenClassifier: ['classifier_dropout', 0.1],
      }),
      initializer_range: initializerRange(json),
    };
  },

  spellings: 'rotary',
  llamaCpp: { lora: true },
  mlx: { refused: 'it calls the layers of GPT-NeoX otherwise.' },
  vllm: null,
  tensors(config) {
    const { vocab_size, hidden_size: d, intermediate_size: ff, attention_bias } = config;
    const linear = (path: string, out: number, width: number, bias = true): TensorSpec[] => [
      { name: `${path}.weight`, shape: [out, width] },
      ...(bias ? [{ name: `${path}.bias`, shape: [out] }] : []),
    ];
    const norm = (path: string): TensorSpec[] => [
      { name: `${path}.weight`, shape: [d] },
      { name: `${path}.bias`, shape: [d] },
    ];
    const specs: TensorSpec[] = [{ name: 'gpt_neox.embed_in.weight', shape: [vocab_size, d] }];
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const at = `gpt_neox.layers.${i}`;
      specs.push(
        ...norm(`${at}.input_layernorm`),
        ...linear(`${at}.attention.query_key_value`, 3 * d, d, attention_bias),
        ...linear(`${at}.attention.dense`, d, d, attention_bias),
        ...norm(`${at}.post_attention_layernorm`),
        ...linear(`${at}.mlp.dense_h_to_4h`, ff, d),
        ...linear(`${at}.mlp.dense_4h_to_h`, d, ff),
      );
    }
    specs.push(...norm('gpt_neox.final_layer_norm'), {
      name: 'embed_out.weight',
      shape: [vocab_size, d],
      optional: config.tie_word_embeddings,
      tiedTo: 'gpt_neox.embed_in.weight',
    });
    return specs;
  },

  // transformers 5 calls the module lm_head, and still writes its weight under the old name.
  storedAs(name) {
    if (name === 'embed_out.weight') return ['lm_head.weight'];
    return name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [];
  },
  renamedModules: { embed_out: 'lm_head' },
  ignored: /\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/,
  lmHead: /^(embed_out|lm_head)\./,

  heads: { ...decoderHeads, tokens: tokenHead('classifier') },
  peft: {
    ia3: { target_modules: ['query_key_value', 'dense_4h_to_h'], feedforward_modules: ['dense_4h_to_h'] },
  },
  adapterHub: interfacedModel({
    ...fusedAttention('query_key_value'),
    attn_o_proj: 'dense',
    layer_self_attn: 'attention',
    model_embeddings: 'embed_in',
    layer_intermediate_proj: 'mlp.dense_h_to_4h',
    layer_output_proj: 'mlp.dense_4h_to_h',
  }),
};
