/** Qwen3 (Qwen team, 2025), after transformers' modeling_qwen3.py: norms over each head's queries and keys. */
import { qwen3 } from '../../families/qwen3';
import { gluFeedForward, loadDecoder, preNormBlock, rmsNorms, selfAttention } from './decoder';
import type { LanguageModel } from './model';
import { createRotary } from './rope';
import type { Loader } from './weights';

export async function loadQwen3(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const c = qwen3.readConfig(json);
  const norm = rmsNorms(load, c.rms_norm_eps);
  const rotary = createRotary(load, c.rope, c.head_dim, c.max_position_embeddings);
  const bias = { qkv: c.attention_bias, o: c.attention_bias };
  return loadDecoder(c, load, {
    norm,
    block: async (layer) => {
      const window = c.windows[layer];
      const attend = await selfAttention(load, c, layer, { bias, headNorm: norm, rotary, window });
      const feedForward = await gluFeedForward(load, c, layer, { activation: 'silu' });
      return preNormBlock(c, layer, norm, attend, feedForward);
    },
  });
}
