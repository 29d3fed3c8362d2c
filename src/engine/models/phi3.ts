/** Phi-3 and Phi-4 (Microsoft, 2024), after transformers' modeling_phi3.py: Llama with fused projections. */
import { phi3 } from '../../families/phi3';
import { gluFeedForward, loadDecoder, preNormBlock, rmsNorms, selfAttention } from './decoder';
import type { LanguageModel } from './model';
import { createRotary } from './rope';
import type { Loader } from './weights';

export async function loadPhi3(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const c = phi3.readConfig(json);
  const norm = rmsNorms(load, c.rms_norm_eps);
  const rotary = createRotary(load, c.rope, c.head_dim, c.max_position_embeddings);
  return loadDecoder(c, load, {
    norm,
    block: async (layer) => {
      const attend = await selfAttention(load, c, layer, { fused: true, rotary, window: c.sliding_window });
      const feedForward = await gluFeedForward(load, c, layer, { activation: 'silu', fused: true });
      return preNormBlock(c, layer, norm, attend, feedForward);
    },
  });
}
