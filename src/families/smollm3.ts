/** SmolLM3ForCausalLM (transformers, models/smollm3): Llama with no rotary positions in, usually, every fourth layer. */
import { refuse, show } from '../base/bad-model';
import { BOTTLENECKS_ONLY, interfacedModel } from './adapterhub';
import { CONFIG, choice, dimension, flag, RESTORE } from './config';
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
import type { Family } from './family';
import { decoderHeads } from './heads';
import { noWindow } from './mlx';
import { type Rope, readRope } from './rope';

export interface SmolLM3Config extends DecoderConfig {
  rope: Rope;
  /** Which layers have rotary positions. */
  rotary_layers: boolean[];
  /** Of each layer. */
  windows: (number | null)[];
  attention_bias: boolean;
  mlp_bias: boolean;
}

/** `no_rope_layers`, which has 1 for layers *with* positions; without it, all layers but every n-th. */
function rotaryLayers(json: Record<string, unknown>, layers: number): boolean[] {
  const interval = dimension(json, 'no_rope_layer_interval', 4);
  const list = json.no_rope_layers ?? Array.from({ length: layers }, (_, i) => Number((i + 1) % interval !== 0));
  if (!Array.isArray(list) || list.length < layers || !list.every((value) => value === 0 || value === 1)) {
    const where = `${CONFIG}, no_rope_layers`;
    refuse(where, `no_rope_layers is ${show(list)}, not 0 or 1 for each of ${layers} layers.`, RESTORE);
  }
  return list.slice(0, layers).map((value) => value === 1);
}

export const smollm3: Family<SmolLM3Config> = {
  modelType: 'smollm3',
  architectures: ['SmolLM3ForCausalLM'],
  kind: 'decoder',

  readConfig(json) {
    const config = readDecoder(json, { positions: 32_768, kvHeads: 4, tied: true });
    choice(json, 'hidden_act', ['silu'], 'silu');
    const rotary_layers = rotaryLayers(json, config.num_hidden_layers);
    const window = slidingWindow(json, null);
    const windowed = flag(json, 'use_sliding_window') && window !== null;
    const sliding = slidingLayers(json, config.num_hidden_layers, (layer) => windowed && !rotary_layers[layer]);
    return {
      ...config,
      rope: readRope(json, {
        kinds: ['default', 'linear', 'dynamic', 'llama3', 'yarn'],
        headDim: config.head_dim,
        positions: config.max_position_embeddings,
        theta: 2_000_000,
      }),
      rotary_layers,
      windows: layerWindows(sliding, window),
      attention_bias: flag(json, 'attention_bias'),
      mlp_bias: flag(json, 'mlp_bias'),
    };
  },

  spellings: 'rope',
  llamaCpp: { lora: true },
  mlx: { note: ({ windows, max_position_embeddings: context }) => noWindow(windows, context) },
  vllm: null,
  tensors: (config) =>
    decoderTensors(config, (at) => [
      ...normSpecs(at, config.hidden_size, 'input_layernorm'),
      ...attentionSpecs(config, at, { qkv: config.attention_bias, o: config.attention_bias }),
      ...normSpecs(at, config.hidden_size, 'post_attention_layernorm'),
      ...feedForwardSpecs(config, at, config.mlp_bias),
    ]),
  storedAs: decoderStoredAs,
  lmHead: LM_HEAD,

  heads: decoderHeads,
  // PEFT has no entry for it; Llama's modules.
  peft: {
    ia3: { target_modules: ['k_proj', 'v_proj', 'down_proj'], feedforward_modules: ['down_proj'] },
  },
  adapterHub: interfacedModel(BOTTLENECKS_ONLY),
};
