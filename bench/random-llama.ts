/** A Llama of any size with random weights, as a weight source: deterministic, so both contenders get the same one. */
import { Stream, uniform } from '../src/base/random';
import type { WeightSource } from '../src/engine/models/model';
import { f32ToBf16 } from '../src/formats/half';

export interface Shape {
  hidden: number;
  layers: number;
  heads: number;
  kvHeads: number;
  intermediate: number;
  vocab: number;
}

export function llamaConfig(s: Shape): Record<string, unknown> {
  return {
    model_type: 'llama',
    hidden_size: s.hidden,
    intermediate_size: s.intermediate,
    num_hidden_layers: s.layers,
    num_attention_heads: s.heads,
    num_key_value_heads: s.kvHeads,
    vocab_size: s.vocab,
    max_position_embeddings: 512,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
    hidden_act: 'silu',
  };
}

/** U(-0.1, 0.1) rounded to bf16; norms are one. */
export function randomValues(name: string, shape: number[]): Float32Array {
  const size = shape.reduce((a, b) => a * b, 1);
  if (name.includes('norm')) return new Float32Array(size).fill(1);
  let tag = 0;
  for (const c of name) tag = (tag * 31 + c.charCodeAt(0)) >>> 0;
  const values = Float32Array.from({ length: size }, (_, i) => 0.2 * uniform(1, Stream.init, i, tag) - 0.1);
  const words = new Uint32Array(values.buffer);
  f32ToBf16(values).forEach((half, i) => {
    words[i] = half << 16;
  });
  return values;
}

export function tensorShape(name: string, s: Shape): number[] {
  const headDim = s.hidden / s.heads;
  const kv = s.kvHeads * headDim;
  if (name.includes('norm')) return [s.hidden];
  if (name.includes('embed_tokens')) return [s.vocab, s.hidden];
  if (name.includes('k_proj') || name.includes('v_proj')) return [kv, s.hidden];
  if (name.includes('gate_proj') || name.includes('up_proj')) return [s.intermediate, s.hidden];
  if (name.includes('down_proj')) return [s.hidden, s.intermediate];
  return [s.hidden, s.hidden];
}

export function randomSource(s: Shape): WeightSource {
  return {
    info: (name) => ({ dtype: 'BF16', shape: tensorShape(name, s) }),
    read: async (name, from = 0, to) => {
      const shape = tensorShape(name, s);
      const row = shape.slice(1).reduce((product, n) => product * n, 1);
      return f32ToBf16(randomValues(name, shape).slice(from * row, (to ?? shape[0]!) * row)).buffer as ArrayBuffer;
    },
  };
}
