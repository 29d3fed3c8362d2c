/**
 * SmolLM3 (Hugging Face, 2025), after transformers' modeling_smollm3.py: Llama with some layers that have no positions.
 */
import { smollm3 } from '../../families/smollm3';
import { gluFeedForward, loadDecoder, preNormBlock, rmsNorms, selfAttention } from './decoder';
import type { LanguageModel } from './model';
import { createRotary } from './rope';
import type { Loader } from './weights';

export async function loadSmolLM3(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const c = smollm3.readConfig(json);
  const norm = rmsNorms(load, c.rms_norm_eps);
  const positions = createRotary(load, c.rope, c.head_dim, c.max_position_embeddings);
  const bias = { qkv: c.attention_bias, o: c.attention_bias };
  return loadDecoder(c, load, {
    norm,
    block: async (layer) => {
      const rotary = c.rotary_layers[layer] ? positions : null;
      const attend = await selfAttention(load, c, layer, { bias, rotary, window: c.windows[layer] });
      const feedForward = await gluFeedForward(load, c, layer, { activation: 'silu', bias: c.mlp_bias });
      return preNormBlock(c, layer, norm, attend, feedForward);
    },
  });
}
