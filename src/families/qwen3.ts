/** Qwen3ForCausalLM (transformers, models/qwen3): Llama with norms over each head's queries and keys; windows as Qwen2. */
import { interfacedModel } from './adapterhub';
import { choice, flag } from './config';
import {
  attentionSpecs,
  type DecoderConfig,
  decoderStoredAs,
  decoderTensors,
  feedForwardSpecs,
  LM_HEAD,
  normSpecs,
  readDecoder,
} from './decoder';
import type { Family } from './family';
import { decoderHeads } from './heads';
import { noWindow } from './mlx';
import { qwenWindows } from './qwen2';
import { type Rope, readRope } from './rope';

export interface Qwen3Config extends DecoderConfig {
  rope: Rope;
  attention_bias: boolean;
  /** Of each layer. */
  windows: (number | null)[];
}

export const qwen3: Family<Qwen3Config> = {
  modelType: 'qwen3',
  architectures: ['Qwen3ForCausalLM'],
  kind: 'decoder',

  readConfig(json) {
    const config = readDecoder(json, { positions: 32_768, kvHeads: 32, headDim: 128 });
    choice(json, 'hidden_act', ['silu'], 'silu');
    return {
      ...config,
      rope: readRope(json, {
        kinds: ['default', 'linear', 'dynamic', 'llama3', 'yarn'],
        headDim: config.head_dim,
        positions: config.max_position_embeddings,
      }),
      attention_bias: flag(json, 'attention_bias'),
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
      ...attentionSpecs(config, at, { qkv: config.attention_bias, o: config.attention_bias }),
      ...normSpecs(at, config.head_dim, 'self_attn.q_norm', 'self_attn.k_norm'),
      ...normSpecs(at, config.hidden_size, 'post_attention_layernorm'),
      ...feedForwardSpecs(config, at),
    ]),
  storedAs: decoderStoredAs,
  lmHead: LM_HEAD,

  heads: decoderHeads,
  peft: {
    ia3: { target_modules: ['q_proj', 'v_proj', 'down_proj'], feedforward_modules: ['down_proj'] },
  },
  adapterHub: interfacedModel(),
};
