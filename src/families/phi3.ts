/**
 * Phi3ForCausalLM (transformers, models/phi3): Llama with fused projections, perhaps a window, and LongRoPE.
 *
 * LongRoPE has short factors for texts up to the original context and long ones for longer texts, for every token of them.
 * A model with it is held to its original context here (4,096 tokens as a rule), where the short factors are exact.
 */
import { fusedAttention, interfacedModel } from './adapterhub';
import { choice, dimension } from './config';
import {
  type DecoderConfig,
  decoderStoredAs,
  decoderTensors,
  LM_HEAD,
  linearSpecs,
  normSpecs,
  OLD_BUFFERS,
  readDecoder,
  slidingWindow,
} from './decoder';
import type { Family } from './family';
import { decoderHeads } from './heads';
import { noWindow } from './mlx';
import { type Rope, readRope } from './rope';

export interface Phi3Config extends DecoderConfig {
  rope: Rope;
  sliding_window: number | null;
}

export const originalContext = (json: Record<string, unknown>) =>
  dimension(json, 'original_max_position_embeddings', 4096);

export const phi3: Family<Phi3Config> = {
  modelType: 'phi3',
  architectures: ['Phi3ForCausalLM'],
  kind: 'decoder',

  readConfig(json) {
    const config = readDecoder(json, { positions: 4096, eps: 1e-5, residualDropout: 'resid_pdrop' });
    choice(json, 'hidden_act', ['silu'], 'silu');
    const original = originalContext(json);
    const rope = readRope(
      { ...json, original_max_position_embeddings: original },
      {
        kinds: ['default', 'longrope'],
        // Old names of the same (configuration_phi3.py).
        aliases: { su: 'longrope', yarn: 'longrope' },
        headDim: config.head_dim,
        positions: config.max_position_embeddings,
        partial: true,
      },
    );
    const context = rope.scaling ? Math.min(original, config.max_position_embeddings) : config.max_position_embeddings;
    return { ...config, max_position_embeddings: context, rope, sliding_window: slidingWindow(json, null) };
  },

  spellings: 'long_rope',
  llamaCpp: { lora: true, vocabulary: { file: 'tokenizer.model', unless: 'GPT2Tokenizer' } },
  mlx: {
    note: ({ rope, sliding_window, max_position_embeddings: context }) =>
      rope.scaling?.rope_type === 'longrope'
        ? 'mlx-lm takes this model’s frequencies for long texts whatever a text’s length, so it differs on short ones.'
        : noWindow([sliding_window], context),
  },
  vllm: null,
  tensors: (config) => {
    const { hidden_size: d, intermediate_size: ff, head_dim } = config;
    const q = config.num_attention_heads * head_dim;
    const kv = config.num_key_value_heads * head_dim;
    return decoderTensors(config, (at) => [
      ...normSpecs(at, d, 'input_layernorm'),
      ...linearSpecs(at, [
        ['self_attn.qkv_proj', q + 2 * kv, d, false],
        ['self_attn.o_proj', d, q, false],
      ]),
      ...normSpecs(at, d, 'post_attention_layernorm'),
      ...linearSpecs(at, [
        ['mlp.gate_up_proj', 2 * ff, d, false],
        ['mlp.down_proj', d, ff, false],
      ]),
    ]);
  },
  storedAs: decoderStoredAs,
  ignored: OLD_BUFFERS,
  lmHead: LM_HEAD,

  heads: decoderHeads,
  // PEFT has no entry for it; keys and values are fused with the queries.
  peft: { ia3: { target_modules: ['qkv_proj', 'down_proj'], feedforward_modules: ['down_proj'] } },
  adapterHub: interfacedModel({ ...fusedAttention('qkv_proj'), layer_intermediate_proj: 'mlp.gate_up_proj' }),
};
