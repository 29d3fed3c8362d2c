/** Gemma 2 in GGUF, and what Gemma 3 shares with it. */
import type { Gemma2Config, GemmaConfig } from '../gemma2';
import {
  decoderFields,
  type GgufFamily,
  type GgufKeys,
  type GgufTensors,
  ggufAttention,
  ggufDecoder,
  ggufFeedForward,
  ggufWindow,
  ropeScaling,
} from './family';
import { decoderKeys, float32, ropeHeader, uint32, unwritable } from './metadata';

/** `widestLayers`: layers of the generation's largest model, which divides its scores by another width than the others. */
export function gemmaFromGguf(keys: GgufKeys, widestLayers: number) {
  const fields = decoderFields(keys);
  // No file gives the width; llama.cpp goes by the number of layers too.
  const whole = fields.hidden_size / fields.num_attention_heads;
  return {
    ...fields,
    query_pre_attn_scalar: fields.num_hidden_layers === widestLayers ? whole : fields.head_dim,
    hidden_activation: 'gelu_pytorch_tanh',
  };
}

/** What `gemmaFromGguf` takes as given. */
export function checkGemma(config: GemmaConfig, widestLayers: number): void {
  if (config.attention_bias) unwritable('attention_bias', 'llama.cpp’s Gemma has no biases.');
  const { query_pre_attn_scalar: width, hidden_size, num_attention_heads, num_hidden_layers, head_dim } = config;
  const usual = num_hidden_layers === widestLayers ? hidden_size / num_attention_heads : head_dim;
  if (width !== usual) {
    unwritable(
      'query_pre_attn_scalar',
      `llama.cpp divides the scores of such a Gemma by the root of ${usual}, and this one by that of ${width}.`,
    );
  }
}

export const gemmaTensorNames = (more: Record<string, string> = {}): GgufTensors => ({
  ...ggufDecoder({
    ...ggufAttention,
    ...more,
    ...ggufFeedForward,
    post_attention_norm: 'post_attention_layernorm',
    ffn_norm: 'pre_feedforward_layernorm',
    post_ffw_norm: 'post_feedforward_layernorm',
  }),
  plusOne: true,
});

export const gemma2Gguf: GgufFamily<Gemma2Config> = {
  architecture: 'gemma2',
  config(keys, tables) {
    const fields = gemmaFromGguf(keys, 46);
    return {
      ...fields,
      sliding_window: ggufWindow(keys) ?? 4096,
      attn_logit_softcapping: keys.number('attn_logit_softcapping') ?? 50,
      final_logit_softcapping: keys.number('final_logit_softcapping') ?? 30,
      ...ropeScaling(keys, tables, fields),
    };
  },
  metadata(config) {
    checkGemma(config, 46);
    const { attn_logit_softcapping: attention, final_logit_softcapping: final, windows } = config;
    if (attention === null || final === null) {
      return unwritable(
        attention === null ? 'attn_logit_softcapping' : 'final_logit_softcapping',
        'llama.cpp bounds the scores and logits of every Gemma 2, and this one has no bound.',
      );
    }
    if (!windows.every((window, layer) => (window === null) === (layer % 2 === 1))) {
      unwritable(
        'layer_types',
        'llama.cpp gives a window to every second layer of a Gemma 2, beginning with the first.',
      );
    }
    const { keys, tables } = ropeHeader(config.rope);
    return {
      keys: {
        ...decoderKeys(config, config.rope),
        attn_logit_softcapping: float32(attention),
        final_logit_softcapping: float32(final),
        'attention.sliding_window': uint32(windows[0]!),
        ...keys,
      },
      tables,
      notes: [],
    };
  },
  tensors: { ...gemmaTensorNames(), outputFrom: 'embedding' },
};
