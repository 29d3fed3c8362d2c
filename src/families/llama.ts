/** LlamaForCausalLM (transformers, models/llama): config.json's fields with LlamaConfig's defaults, and its tensors. */
import { choice, flag } from './config';
import {
  attentionSpecs,
  type DecoderConfig,
  decoderTensors,
  feedForwardSpecs,
  normSpecs,
  OLD_BUFFERS,
  readDecoder,
} from './decoder';
import type { Family } from './family';
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
  ignored: OLD_BUFFERS,

  readConfig(json) {
    const config = readDecoder(json, 'llama', { positions: 2048 });
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

  tensors: (config) =>
    decoderTensors(config, (at) => [
      ...normSpecs(at, config.hidden_size, 'input_layernorm'),
      ...attentionSpecs(config, at, { qkv: config.attention_bias, o: config.attention_bias }),
      ...normSpecs(at, config.hidden_size, 'post_attention_layernorm'),
      ...feedForwardSpecs(config, at, config.mlp_bias),
    ]),
};
