/** Qwen2 in GGUF. */
import type { Qwen2Config } from '../qwen2';
import {
  decoderFields,
  type GgufFamily,
  type GgufHeader,
  ggufAttention,
  ggufDecoder,
  ggufFeedForward,
  ropeScaling,
} from './family';
import { decoderKeys, needsWholeHeads, ropeHeader, windowNotes } from './metadata';

export function qwenToGguf(config: Qwen2Config): GgufHeader {
  const { keys, tables } = ropeHeader(config.rope);
  return {
    keys: { ...decoderKeys(config, config.rope), ...keys },
    tables,
    notes: windowNotes(config.windows, config.max_position_embeddings),
  };
}

export const qwen2Gguf: GgufFamily<Qwen2Config> = {
  architecture: 'qwen2',
  config(keys, tables) {
    const fields = decoderFields(keys);
    return { ...fields, ...ropeScaling(keys, tables, fields) };
  },
  metadata(config) {
    needsWholeHeads(config);
    return qwenToGguf(config);
  },
  tensors: ggufDecoder({ ...ggufAttention, ...ggufFeedForward }),
};
