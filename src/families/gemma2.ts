/** Gemma2ForCausalLM (transformers, models/gemma2): four norms per block, soft caps, windows in every second layer. */
import { type AdapterInterface, interfacedModel } from './adapterhub';
import { choice, flag, positive, refuseFlag } from './config';
import {
  attentionSpecs,
  type DecoderConfig,
  decoderStoredAs,
  decoderTensors,
  feedForwardSpecs,
  LM_HEAD,
  layerWindows,
  normSpecs,
  readDecoder,
  slidingLayers,
  slidingWindow,
} from './decoder';
import type { Family, TensorSpec } from './family';
import { decoderHeads } from './heads';
import { noWindow } from './mlx';
import { type Rope, readRope } from './rope';

/** What Gemma 2 and Gemma 3 have in common. */
export interface GemmaConfig extends DecoderConfig {
  attention_bias: boolean;
  /** The scores are divided by its root. */
  query_pre_attn_scalar: number;
  final_logit_softcapping: number | null;
  /** Of each layer. */
  windows: (number | null)[];
}

export interface Gemma2Config extends GemmaConfig {
  rope: Rope;
  attn_logit_softcapping: number | null;
}

/** A positive number, or null for no bound. */
export function softcap(json: Record<string, unknown>, name: string, fallback: number | null): number | null {
  const value = json[name] === undefined ? fallback : json[name];
  return value === null ? null : positive({ [name]: value }, name);
}

/** `sliding`: which layers have a window if the config does not list them. */
export function readGemma(
  json: Record<string, unknown>,
  setting: { positions: number; finalSoftcap: number | null; sliding: (layer: number) => boolean },
): GemmaConfig {
  const config = readDecoder(json, { positions: setting.positions, kvHeads: 4, headDim: 256, tied: true });
  choice(json, 'hidden_activation', ['gelu_pytorch_tanh'], 'gelu_pytorch_tanh');
  refuseFlag(json, 'use_bidirectional_attention', 'Attention to tokens that come later');
  const sliding = slidingLayers(json, config.num_hidden_layers, setting.sliding);
  return {
    ...config,
    attention_bias: flag(json, 'attention_bias'),
    query_pre_attn_scalar: positive(json, 'query_pre_attn_scalar', 256),
    final_logit_softcapping: softcap(json, 'final_logit_softcapping', setting.finalSoftcap),
    windows: layerWindows(sliding, slidingWindow(json, 4096)),
  };
}

/** `headNorms`: norms over each head's queries and keys. */
export function gemmaTensors(config: GemmaConfig, headNorms: boolean): TensorSpec[] {
  const { hidden_size: d, head_dim, attention_bias: bias } = config;
  return decoderTensors(config, (at) => [
    ...normSpecs(at, d, 'input_layernorm'),
    ...attentionSpecs(config, at, { qkv: bias, o: bias }),
    ...(headNorms ? normSpecs(at, head_dim, 'self_attn.q_norm', 'self_attn.k_norm') : []),
    ...normSpecs(at, d, 'post_attention_layernorm', 'pre_feedforward_layernorm'),
    ...feedForwardSpecs(config, at),
    ...normSpecs(at, d, 'post_feedforward_layernorm'),
  ]);
}

export const gemmaFloats = ['attn_logit_softcapping', 'final_logit_softcapping'];

export const gemmaPeft: Family['peft'] = {
  ia3: { target_modules: ['q_proj', 'v_proj', 'down_proj'], feedforward_modules: ['down_proj'] },
};

export const gemmaInterface: AdapterInterface = {
  layer_ln_1: 'post_attention_layernorm',
  layer_ln_2: 'post_feedforward_layernorm',
  layer_pre_ffn: 'pre_feedforward_layernorm',
};

export const gemma2: Family<Gemma2Config> = {
  modelType: 'gemma2',
  architectures: ['Gemma2ForCausalLM'],
  kind: 'decoder',

  readConfig(json) {
    const sliding = (layer: number) => layer % 2 === 0;
    const config = readGemma(json, { positions: 8192, finalSoftcap: 30, sliding });
    return {
      ...config,
      rope: readRope(json, {
        kinds: ['default', 'linear', 'dynamic', 'llama3', 'yarn'],
        headDim: config.head_dim,
        positions: config.max_position_embeddings,
      }),
      attn_logit_softcapping: softcap(json, 'attn_logit_softcapping', 50),
    };
  },
  floatFields: gemmaFloats,

  spellings: 'rope',
  llamaCpp: { lora: true, vocabulary: { file: 'tokenizer.model' } },
  mlx: { note: ({ windows, max_position_embeddings: context }) => noWindow(windows, context) },
  vllm: null,
  tensors: (config) => gemmaTensors(config, false),
  storedAs: decoderStoredAs,
  lmHead: LM_HEAD,

  heads: decoderHeads,
  peft: gemmaPeft,
  adapterHub: interfacedModel(gemmaInterface),
};
