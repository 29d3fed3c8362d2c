/**
 * Qwen2 and 2.5 (Qwen team, 2024), after transformers' modeling_qwen2.py: Llama with biases on queries, keys and
 * values.
 */
import { qwen2 } from '../../families/qwen2';
import { gluFeedForward, loadDecoder, preNormBlock, rmsNorms, selfAttention } from './decoder';
import type { LanguageModel } from './model';
import { createRotary } from './rope';
import type { Loader } from './weights';

export async function loadQwen2(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const c = qwen2.readConfig(json);
  const norm = rmsNorms(load, c.rms_norm_eps);
  const rotary = createRotary(load, c.rope, c.head_dim, c.max_position_embeddings);
  return loadDecoder(c, load, {
    norm,
    block: async (layer) => {
      const bias = { qkv: true, o: false };
      const attend = await selfAttention(load, c, layer, { bias, rotary, window: c.windows[layer] });
      const feedForward = await gluFeedForward(load, c, layer, { activation: 'silu' });
      return preNormBlock(c, layer, norm, attend, feedForward);
    },
  });
}
