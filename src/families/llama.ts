/** LlamaForCausalLM (transformers, models/llama): config.json's fields with LlamaConfig's defaults, and its tensors. */
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
import { decoderHeads } from './heads';
import { type Rope, readRope } from './rope';

export interface LlamaConfig extends DecoderConfig {
  rope: Rope;
  attention_bias: boolean;
  mlp_bias: boolean;
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

  spellings: 'rope',
  llamaCpp: { lora: true },
  mlx: {},
  vllm: null,
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
};
