/** MistralForCausalLM (transformers, models/mistral): Llama without biases, every layer behind a sliding window if there is one. */
import { choice } from './config';
import {
  attentionSpecs,
  type DecoderConfig,
  decoderTensors,
  feedForwardSpecs,
  normSpecs,
  OLD_BUFFERS,
  readDecoder,
  slidingWindow,
} from './decoder';
import type { Family } from './family';
import { type Rope, readRope } from './rope';

export interface MistralConfig extends DecoderConfig {
  rope: Rope;
  sliding_window: number | null;
}

export const mistral: Family<MistralConfig> = {
  modelType: 'mistral',
  architectures: ['MistralForCausalLM'],
  kind: 'decoder',
  ignored: OLD_BUFFERS,

  readConfig(json) {
    const config = readDecoder(json, 'mistral', { positions: 131_072, kvHeads: 8 });
    choice(json, 'hidden_act', ['silu'], 'silu');
    return {
      ...config,
      rope: readRope(json, {
        kinds: ['default', 'linear', 'dynamic', 'llama3', 'yarn'],
        headDim: config.head_dim,
        positions: config.max_position_embeddings,
      }),
      sliding_window: slidingWindow(json, 4096),
    };
  },

  tensors: (config) =>
    decoderTensors(config, (at) => [
      ...normSpecs(at, config.hidden_size, 'input_layernorm'),
      ...attentionSpecs(config, at, { qkv: false, o: false }),
      ...normSpecs(at, config.hidden_size, 'post_attention_layernorm'),
      ...feedForwardSpecs(config, at),
    ]),
};
