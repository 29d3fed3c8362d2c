/**
 * Gemma 3's text models (Gemma team, 2025), after transformers' modeling_gemma3.py: Gemma 2 with norms over each head's
 * queries and keys instead of the soft cap on scores, and other rotary frequencies in layers with a sliding window.
 */
import { gemma3 } from '../../families/gemma3';
import { gluFeedForward, loadDecoder, rmsNorms, sandwichBlock, selfAttention } from './decoder';
import type { LanguageModel } from './model';
import { createRotary } from './rope';
import type { Loader } from './weights';

export async function loadGemma3(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const c = gemma3.readConfig(json);
  const norm = rmsNorms(load, c.rms_norm_eps, 1);
  const full = createRotary(load, c.rope.full, c.head_dim, c.max_position_embeddings);
  const sliding = createRotary(load, c.rope.sliding, c.head_dim, c.max_position_embeddings);
  const bias = { qkv: c.attention_bias, o: c.attention_bias };
  const scale = 1 / Math.sqrt(c.query_pre_attn_scalar);
  return loadDecoder(c, load, {
    norm,
    block: async (layer) => {
      const window = c.windows[layer] ?? null;
      const rotary = window === null ? full : sliding;
      const attend = await selfAttention(load, c, layer, { bias, headNorm: norm, rotary, window, scale });
      const feedForward = await gluFeedForward(load, c, layer, { activation: 'gelu_tanh' });
      return sandwichBlock(c, layer, norm, attend, feedForward);
    },
    embeddingScale: Math.fround(Math.sqrt(c.hidden_size)),
    softcap: c.final_logit_softcapping,
  });
}
