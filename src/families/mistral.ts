/** MistralForCausalLM (transformers, models/mistral): Llama without biases, with a sliding window in all layers or none. */
import { adaptedModel } from './adapterhub';
import { choice } from './config';
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
  slidingWindow,
} from './decoder';
import type { Family } from './family';
import { decoderHeads } from './heads';
import { noWindow } from './mlx';
import { type Rope, readRope } from './rope';

export interface MistralConfig extends DecoderConfig {
  rope: Rope;
  sliding_window: number | null;
}

export const mistral: Family<MistralConfig> = {
  modelType: 'mistral',
  architectures: ['MistralForCausalLM'],
  kind: 'decoder',

  readConfig(json) {
    const config = readDecoder(json, { positions: 131_072, kvHeads: 8 });
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

  spellings: 'rope',
  llamaCpp: { lora: true },
  mlx: { note: ({ sliding_window, max_position_embeddings: context }) => noWindow([sliding_window], context) },
  vllm: null,
  tensors: (config) =>
    decoderTensors(config, (at) => [
      ...normSpecs(at, config.hidden_size, 'input_layernorm'),
      ...attentionSpecs(config, at, { qkv: false, o: false }),
      ...normSpecs(at, config.hidden_size, 'post_attention_layernorm'),
      ...feedForwardSpecs(config, at),
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
