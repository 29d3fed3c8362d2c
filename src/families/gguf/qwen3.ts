/** Qwen3 in GGUF. */
import type { Qwen3Config } from '../qwen3';
import {
  decoderFields,
  type GgufFamily,
  ggufAttention,
  ggufDecoder,
  ggufFeedForward,
  ggufHeadNorms,
  ropeScaling,
} from './family';
import { unwritable } from './metadata';
import { qwenToGguf } from './qwen2';

export const qwen3Gguf: GgufFamily<Qwen3Config> = {
  architecture: 'qwen3',
  config(keys, tables) {
    const fields = decoderFields(keys);
    return { ...fields, attention_bias: keys.has('blk.0.attn_q.bias'), ...ropeScaling(keys, tables, fields) };
  },
  metadata(config) {
    if (config.attention_bias) unwritable('attention_bias', 'llama.cpp’s Qwen3 has no bias behind its attention.');
    return qwenToGguf(config);
  },
  tensors: ggufDecoder({ ...ggufAttention, ...ggufHeadNorms, ...ggufFeedForward }),
};
