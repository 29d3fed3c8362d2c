/**
 * Gemma 2 (Gemma team, 2024), after transformers' modeling_gemma2.py: norms multiply by 1 + weight and come
 * before and after each half of a block; scores and logits have a soft cap; every second layer has a sliding window.
 */
import { gemma2 } from '../../families/gemma2';
import { gluFeedForward, loadDecoder, rmsNorms, sandwichBlock, selfAttention } from './decoder';
import type { LanguageModel } from './model';
import { createRotary } from './rope';
import type { Loader } from './weights';

export async function loadGemma2(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const c = gemma2.readConfig(json);
  const norm = rmsNorms(load, c.rms_norm_eps, 1);
  const rotary = createRotary(load, c.rope, c.head_dim, c.max_position_embeddings);
  const bias = { qkv: c.attention_bias, o: c.attention_bias };
  const scale = 1 / Math.sqrt(c.query_pre_attn_scalar);
  return loadDecoder(c, load, {
    norm,
    block: async (layer) => {
      const window = c.windows[layer];
      const softcap = c.attn_logit_softcapping;
      const attend = await selfAttention(load, c, layer, { bias, rotary, window, softcap, scale });
      const feedForward = await gluFeedForward(load, c, layer, { activation: 'gelu_tanh' });
      return sandwichBlock(c, layer, norm, attend, feedForward);
    },
    embeddingScale: Math.fround(Math.sqrt(c.hidden_size)),
    softcap: c.final_logit_softcapping,
  });
}
