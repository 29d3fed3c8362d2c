/**
 * Mistral (Jiang et al., 2023), after transformers' modeling_mistral.py: Llama with a sliding window in every layer.
 */
import { mistral } from '../../families/mistral';
import { gluFeedForward, loadDecoder, preNormBlock, rmsNorms, selfAttention } from './decoder';
import type { LanguageModel } from './model';
import { createRotary } from './rope';
import type { Loader } from './weights';

export async function loadMistral(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const c = mistral.readConfig(json);
  const norm = rmsNorms(load, c.rms_norm_eps);
  const rotary = createRotary(load, c.rope, c.head_dim, c.max_position_embeddings);
  return loadDecoder(c, load, {
    norm,
    block: async (layer) => {
      const attend = await selfAttention(load, c, layer, { rotary, window: c.sliding_window });
      const feedForward = await gluFeedForward(load, c, layer, { activation: 'silu' });
      return preNormBlock(c, layer, norm, attend, feedForward);
    },
  });
}
