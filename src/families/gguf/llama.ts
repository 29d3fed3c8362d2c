/** Llama in GGUF, and its kin, which GGUF files call alike. */
import { OTHER_MODEL, refuse } from '../../base/bad-model';
import type { DecoderConfig } from '../decoder';
import type { LlamaConfig } from '../llama';
import type { Rope } from '../rope';
import {
  decoderFields,
  type GgufFamily,
  type GgufHeader,
  type GgufKeys,
  ggufAttention,
  ggufDecoder,
  ggufFeedForward,
  type RopeTables,
  ropeScaling,
} from './family';
import { decoderKeys, ropeHeader, uint32 } from './metadata';
import { keyHalves, queryHalves } from './rows';

/** What its kin shares. */
export const llamaKin = {
  architecture: 'llama',
  tensors: {
    ...ggufDecoder({ ...ggufAttention, ...ggufFeedForward }),
    rows: { attn_q: queryHalves, attn_k: keyHalves },
  },
} satisfies Partial<GgufFamily>;

export function llamaFromGguf(keys: GgufKeys, tables: RopeTables): Record<string, unknown> {
  const fields = decoderFields(keys);
  if ((keys.number('rope.dimension_count') ?? fields.head_dim) !== fields.head_dim) {
    refuse(
      keys.at('rope.dimension_count'),
      'Only a part of each head is rotated, which Llama does not have.',
      OTHER_MODEL,
    );
  }
  return { ...fields, ...ropeScaling(keys, tables, fields) };
}

export function llamaToGguf(config: DecoderConfig & { rope: Rope }): GgufHeader {
  const { keys, tables } = ropeHeader(config.rope, { table: true });
  return {
    keys: { ...decoderKeys(config, config.rope), vocab_size: uint32(config.vocab_size), ...keys },
    tables,
    notes: [],
  };
}

export const llamaGguf: GgufFamily<LlamaConfig> = {
  ...llamaKin,
  config: (keys, tables) => ({
    ...llamaFromGguf(keys, tables),
    attention_bias: keys.has('blk.0.attn_q.bias'),
    mlp_bias: keys.has('blk.0.ffn_gate.bias'),
  }),
  metadata: llamaToGguf,
};
