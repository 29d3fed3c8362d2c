/** Gemma 3 in GGUF, the text models. */
import type { Gemma3Config } from '../gemma3';
import { type GgufFamily, ggufHeadNorms, ggufWindow, ropeScaling } from './family';
import { checkGemma, gemmaFromGguf, gemmaTensorNames } from './gemma2';
import { decoderKeys, float32, ropeHeader, uint32, unwritable, windowPattern } from './metadata';

export const gemma3Gguf: GgufFamily<Gemma3Config> = {
  architecture: 'gemma3',
  config(keys, tables) {
    const fields = { ...gemmaFromGguf(keys, 62), rope_theta: keys.number('rope.freq_base') ?? 1_000_000 };
    const width = ggufWindow(keys);
    const listed = keys.list('attention.sliding_window_pattern');
    const pattern = width === null ? 1 : listed ? undefined : (keys.number('attention.sliding_window_pattern') ?? 6);
    return {
      ...fields,
      rope_local_base_freq: keys.number('rope.freq_base_swa') ?? 10_000,
      // Without a window every layer has full attention.
      sliding_window: width ?? fields.max_position_embeddings,
      sliding_window_pattern: pattern,
      layer_types: listed?.map((sliding) => (sliding ? 'sliding_attention' : 'full_attention')),
      final_logit_softcapping: keys.number('final_logit_softcapping'),
      ...ropeScaling(keys, tables, fields),
    };
  },
  metadata(config) {
    checkGemma(config, 62);
    const { rope, windows, final_logit_softcapping: cap } = config;
    if (rope.sliding.scaling) {
      unwritable('rope_parameters.sliding_attention', 'llama.cpp does not scale positions in layers with a window.');
    }
    const sliding = windows.map((window) => window !== null);
    const width = windows.find((window) => window !== null);
    const usual = sliding.every((is, layer) => is === ((layer + 1) % 6 !== 0));
    const { keys, tables } = ropeHeader(rope.full);
    return {
      keys: {
        ...decoderKeys(config, rope.full),
        'rope.freq_base_swa': float32(rope.sliding.theta),
        ...(cap === null ? {} : { final_logit_softcapping: float32(cap) }),
        ...(width ? { 'attention.sliding_window': uint32(width) } : {}),
        ...(width && !usual ? { 'attention.sliding_window_pattern': windowPattern(sliding) } : {}),
        ...keys,
      },
      tables,
      notes: [],
    };
  },
  tensors: gemmaTensorNames(ggufHeadNorms),
};
