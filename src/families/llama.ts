/** LlamaForCausalLM (transformers, models/llama): config.json's fields with LlamaConfig's defaults, and its tensors. */
import { OTHER_MODEL, refuse } from '../base/bad-model';
import { adaptedModel } from './adapterhub';
import { choice, flag } from './config';
import {
  attentionSpecs,
  type DecoderConfig,
  decoderStoredAs,
  decoderTensors,
  feedForwardSpecs,
  LM_HEAD,
  normSpecs,
  OLD_BUFFERS,
  readDecoder,
} from './decoder';
import type { Family } from './family';
import {
  decoderFields,
  type GgufFamily,
  type GgufKeys,
  ggufAttention,
  ggufDecoder,
  ggufFeedForward,
  type RopeTables,
  ropeScaling,
} from './gguf';
import { keyHalves, queryHalves } from './gguf-rows';
import { decoderHeads } from './heads';
import { type Rope, readRope } from './rope';
import { ropeSpellings } from './rope-spellings';

export interface LlamaConfig extends DecoderConfig {
  rope: Rope;
  attention_bias: boolean;
  mlp_bias: boolean;
}

/** GGUF files call Llama and its kin alike. */
export const llamaGguf = {
  architecture: 'llama',
  tensors: {
    ...ggufDecoder({ ...ggufAttention, ...ggufFeedForward }),
    rows: { attn_q: queryHalves, attn_k: keyHalves },
  },
} satisfies Partial<GgufFamily>;

export function llamaFromGguf(keys: GgufKeys, tables: RopeTables): Record<string, unknown> {
  const fields = decoderFields(keys);
  if ((keys.number('rope.dimension_count') ?? fields.head_dim) !== fields.head_dim) {
    refuse(
      keys.at('rope.dimension_count'),
      'Only a part of each head is rotated, which Llama does not have.',
      OTHER_MODEL,
    );
  }
  return { ...fields, ...ropeScaling(keys, tables, fields) };
}

export const llama: Family<LlamaConfig> = {
  modelType: 'llama',
  architectures: ['LlamaForCausalLM'],
  kind: 'decoder',

  readConfig(json) {
    const config = readDecoder(json, { positions: 2048 });
    choice(json, 'hidden_act', ['silu'], 'silu');
    return {
      ...config,
      rope: readRope(json, {
        kinds: ['default', 'linear', 'dynamic', 'llama3', 'yarn'],
        headDim: config.head_dim,
        positions: config.max_position_embeddings,
      }),
      attention_bias: flag(json, 'attention_bias'),
      mlp_bias: flag(json, 'mlp_bias'),
    };
  },

  spellings: ropeSpellings,
  llamaCpp: { lora: true },
  tensors: (config) =>
    decoderTensors(config, (at) => [
      ...normSpecs(at, config.hidden_size, 'input_layernorm'),
      ...attentionSpecs(config, at, { qkv: config.attention_bias, o: config.attention_bias }),
      ...normSpecs(at, config.hidden_size, 'post_attention_layernorm'),
      ...feedForwardSpecs(config, at, config.mlp_bias),
    ]),
  storedAs: decoderStoredAs,
  ignored: OLD_BUFFERS,
  lmHead: LM_HEAD,

  heads: decoderHeads,
  peft: {
    ia3: { target_modules: ['k_proj', 'v_proj', 'down_proj'], feedforward_modules: ['down_proj'] },
  },
  adapterHub: adaptedModel,
  gguf: {
    ...llamaGguf,
    config: (keys, tables) => ({
      ...llamaFromGguf(keys, tables),
      attention_bias: keys.has('blk.0.attn_q.bias'),
      mlp_bias: keys.has('blk.0.ffn_gate.bias'),
    }),
  },
};
