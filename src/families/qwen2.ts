/** Qwen2ForCausalLM (transformers, models/qwen2): Llama with biases on queries, keys and values; windows in late layers. */
import { interfacedModel } from './adapterhub';
import { choice, dimension, flag } from './config';
import {
  attentionSpecs,
  type DecoderConfig,
  decoderStoredAs,
  decoderTensors,
  feedForwardSpecs,
  LM_HEAD,
  layerWindows,
  normSpecs,
  OLD_BUFFERS,
  readDecoder,
  slidingLayers,
  slidingWindow,
} from './decoder';
import type { Family } from './family';
import { decoderHeads } from './heads';
import { noWindow } from './mlx';
import { type Rope, readRope } from './rope';

export interface Qwen2Config extends DecoderConfig {
  rope: Rope;
  /** Of each layer. */
  windows: (number | null)[];
}

/** Qwen's rule, the same for Qwen2 and Qwen3: with use_sliding_window, the layers from max_window_layers on. */
export function qwenWindows(json: Record<string, unknown>, layers: number): (number | null)[] {
  const window = flag(json, 'use_sliding_window') ? slidingWindow(json, 4096) : null;
  const from = json.max_window_layers === 0 ? 0 : dimension(json, 'max_window_layers', 28);
  const sliding = slidingLayers(json, layers, (layer) => window !== null && layer >= from);
  return layerWindows(sliding, window);
}

export const qwen2: Family<Qwen2Config> = {
  modelType: 'qwen2',
  architectures: ['Qwen2ForCausalLM'],
  kind: 'decoder',

  readConfig(json) {
    const config = readDecoder(json, { positions: 32_768, kvHeads: 32 });
    choice(json, 'hidden_act', ['silu'], 'silu');
    return {
      ...config,
      rope: readRope(json, {
        kinds: ['default', 'linear', 'dynamic', 'llama3', 'yarn'],
        headDim: config.head_dim,
        positions: config.max_position_embeddings,
      }),
      windows: qwenWindows(json, config.num_hidden_layers),
    };
  },

  spellings: 'rope',
  llamaCpp: { lora: true },
  mlx: { note: ({ windows, max_position_embeddings: context }) => noWindow(windows, context) },
  vllm: null,
  tensors: (config) =>
    decoderTensors(config, (at) => [
      ...normSpecs(at, config.hidden_size, 'input_layernorm'),
      ...attentionSpecs(config, at, { qkv: true, o: false }),
      ...normSpecs(at, config.hidden_size, 'post_attention_layernorm'),
      ...feedForwardSpecs(config, at),
    ]),
  storedAs: decoderStoredAs,
  ignored: OLD_BUFFERS,
  lmHead: LM_HEAD,

  heads: decoderHeads,
  peft: {
    ia3: { target_modules: ['q_proj', 'v_proj', 'down_proj'], feedforward_modules: ['down_proj'] },
  },
  adapterHub: interfacedModel(),
};
