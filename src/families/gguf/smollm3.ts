/** SmolLM3 in GGUF: Llama's tensors under an architecture of its own. */
import type { SmolLM3Config } from '../smollm3';
import { decoderFields, type GgufFamily, ropeScaling } from './family';
import { llamaKin } from './llama';
import { decoderKeys, ropeHeader, uint32, unwritable, windowNotes } from './metadata';

export const smollm3Gguf: GgufFamily<SmolLM3Config> = {
  ...llamaKin,
  architecture: 'smollm3',
  config(keys, tables) {
    const fields = decoderFields(keys);
    return {
      ...fields,
      no_rope_layer_interval: 4,
      attention_bias: keys.has('blk.0.attn_q.bias'),
      mlp_bias: keys.has('blk.0.ffn_gate.bias'),
      ...ropeScaling(keys, tables, fields),
    };
  },
  metadata(config) {
    if (config.attention_bias || config.mlp_bias) {
      unwritable(config.attention_bias ? 'attention_bias' : 'mlp_bias', 'llama.cpp’s SmolLM3 has no biases.');
    }
    if (!config.rotary_layers.every((rotary, layer) => rotary === ((layer + 1) % 4 !== 0))) {
      unwritable(
        'no_rope_layers',
        'llama.cpp leaves out the positions of every fourth layer of a SmolLM3, and of no other.',
      );
    }
    const { keys, tables } = ropeHeader(config.rope);
    return {
      keys: { ...decoderKeys(config, config.rope), vocab_size: uint32(config.vocab_size), ...keys },
      tables,
      notes: windowNotes(config.windows, config.max_position_embeddings),
    };
  },
};
