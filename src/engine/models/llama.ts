/** Llama (Touvron et al., 2023), after transformers' modeling_llama.py. */
import { llama } from '../../families/llama';
import { gluFeedForward, loadDecoder, preNormBlock, rmsNorms, selfAttention } from './decoder';
import type { LanguageModel } from './model';
import { createRotary } from './rope';
import type { Loader } from './weights';

export async function loadLlama(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const c = llama.readConfig(json);
  const norm = rmsNorms(load, c.rms_norm_eps);
  const rotary = createRotary(load, c.rope, c.head_dim, c.max_position_embeddings);
  const bias = { qkv: c.attention_bias, o: c.attention_bias };
  return loadDecoder(c, load, {
    norm,
    block: async (layer) => {
      const attend = await selfAttention(load, c, layer, { bias, rotary });
      const feedForward = await gluFeedForward(load, c, layer, { activation: 'silu', bias: c.mlp_bias });
      return preNormBlock(c, layer, norm, attend, feedForward);
    },
  });
}
