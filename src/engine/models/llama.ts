/**
 * Llama (Touvron et al., 2023), after transformers' modeling_llama.py: pre-norm blocks of grouped-query attention with
 * rotary positions and a SwiGLU feed-forward; Llama 3's rope scaling; biases where the config has them. Module paths are
 * Hugging Face's.
 *
 *   x = embed(ids)                                   [B·T, d]
 *   x = x + o_proj(attention(rope(q), rope(k), v))   per layer, on RMSNorm(x)
 *   x = x + down_proj(silu(gate_proj) · up_proj)     on RMSNorm(x)
 *   RMSNorm(x) -> lm_head
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { attention } from '../kernels/attention';
import { embedding } from '../kernels/embedding';
import { copyValues } from '../kernels/in-place';
import { linear } from '../kernels/linear';
import { rmsNorm } from '../kernels/rms-norm';
import { rotary, rotaryTables } from '../kernels/rotary';
import { swiglu } from '../kernels/swiglu';
import type { Hooks, LinearModule } from '../types';
import type { CausalModel, KeyValueCache, ModelInput, WeightSource } from './model';
import { inverseFrequencies, type RopeScaling } from './rope';
import { loadMatrix, loadVector } from './weights';

export interface LlamaConfig {
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  vocab_size: number;
  max_position_embeddings: number;
  rms_norm_eps: number;
  rope_theta: number;
  rope_scaling: RopeScaling | null;
  tie_word_embeddings: boolean;
  attention_bias: boolean;
  mlp_bias: boolean;
}

/** Fills in what older configs leave out; transformers 5 writes `rope_parameters` for rope_theta and rope_scaling. */
export function readLlamaConfig(json: Record<string, unknown>): LlamaConfig {
  const number = (name: string, fallback?: number): number => {
    const value = json[name] ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new TabtuneError({
        code: 'bad_model',
        message: `config.json has no usable ${name}.`,
        where: 'config.json',
        action: 'Use the config.json that belongs to these weights.',
      });
    }
    return value;
  };
  if (json.hidden_act !== undefined && json.hidden_act !== 'silu') {
    throw new TabtuneError({
      code: 'bad_model',
      message: `The activation ${String(json.hidden_act)} is not supported for Llama models.`,
      where: 'config.json',
      action: 'Use a model with hidden_act "silu".',
    });
  }
  const rope = (json.rope_parameters ?? {}) as Record<string, unknown>;
  const scaling = (json.rope_scaling ??
    (rope.rope_type && rope.rope_type !== 'default' ? rope : null)) as RopeScaling | null;
  const heads = number('num_attention_heads');
  return {
    hidden_size: number('hidden_size'),
    intermediate_size: number('intermediate_size'),
    num_hidden_layers: number('num_hidden_layers'),
    num_attention_heads: heads,
    num_key_value_heads: number('num_key_value_heads', heads),
    head_dim: number('head_dim', number('hidden_size') / heads),
    vocab_size: number('vocab_size'),
    max_position_embeddings: number('max_position_embeddings', 2048),
    rms_norm_eps: number('rms_norm_eps', 1e-6),
    rope_theta: number('rope_theta', typeof rope.rope_theta === 'number' ? rope.rope_theta : 10000),
    rope_scaling: scaling,
    tie_word_embeddings: json.tie_word_embeddings === true,
    attention_bias: json.attention_bias === true,
    mlp_bias: json.mlp_bias === true,
  };
}

interface Block {
  inputNorm: tf.Tensor;
  postNorm: tf.Tensor;
  q: LinearModule;
  k: LinearModule;
  v: LinearModule;
  o: LinearModule;
  gate: LinearModule;
  up: LinearModule;
  down: LinearModule;
}

export async function loadLlama(json: Record<string, unknown>, source: WeightSource): Promise<CausalModel> {
  const c = readLlamaConfig(json);
  const d = c.hidden_size;
  const kv = c.num_key_value_heads * c.head_dim;
  const attn = c.num_attention_heads * c.head_dim;
  const ff = c.intermediate_size;

  const owned: tf.Tensor[] = [];
  const own = <T extends tf.Tensor>(t: T): T => {
    owned.push(t);
    return t;
  };
  const matrix = async (name: string, shape: [number, number]) => {
    const weight = await loadMatrix(source, name, shape);
    own(weight.tensor);
    return weight;
  };
  const vector = async (name: string, size: number) => own(await loadVector(source, name, size));
  const module = async (path: string, out: number, width: number, bias: boolean): Promise<LinearModule> => ({
    path,
    weight: await matrix(`${path}.weight`, [out, width]),
    bias: bias ? await vector(`${path}.bias`, out) : null,
  });

  try {
    const table = await matrix('model.embed_tokens.weight', [c.vocab_size, d]);
    const blocks: Block[] = [];
    for (let i = 0; i < c.num_hidden_layers; i++) {
      const at = `model.layers.${i}`;
      blocks.push({
        inputNorm: await vector(`${at}.input_layernorm.weight`, d),
        postNorm: await vector(`${at}.post_attention_layernorm.weight`, d),
        q: await module(`${at}.self_attn.q_proj`, attn, d, c.attention_bias),
        k: await module(`${at}.self_attn.k_proj`, kv, d, c.attention_bias),
        v: await module(`${at}.self_attn.v_proj`, kv, d, c.attention_bias),
        o: await module(`${at}.self_attn.o_proj`, d, attn, c.attention_bias),
        gate: await module(`${at}.mlp.gate_proj`, ff, d, c.mlp_bias),
        up: await module(`${at}.mlp.up_proj`, ff, d, c.mlp_bias),
        down: await module(`${at}.mlp.down_proj`, d, ff, c.mlp_bias),
      });
    }
    const finalNorm = await vector('model.norm.weight', d);
    // A tied checkpoint may still carry a copy of the table as lm_head.weight; transformers ignores it too.
    const output = c.tie_word_embeddings ? table : await matrix('lm_head.weight', [c.vocab_size, d]);
    const tables = rotaryTables(
      c.max_position_embeddings,
      inverseFrequencies(c.head_dim, c.rope_theta, c.rope_scaling),
    );
    const cos = own(tf.keep(tables.cos));
    const sin = own(tf.keep(tables.sin));

    const linears = blocks.flatMap((b) => [b.q, b.k, b.v, b.o, b.gate, b.up, b.down]);
    const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
    const parameters =
      size(table.shape) +
      (c.tie_word_embeddings ? 0 : size(output.shape)) +
      linears.reduce((sum, m) => sum + size(m.weight.shape) + (m.bias?.size ?? 0), 0) +
      (2 * blocks.length + 1) * d;

    const hidden = (input: ModelInput, hooks: Hooks): tf.Tensor => {
      const { batch, length, positions, visible, cache } = input;
      const apply = (m: LinearModule, x: tf.Tensor, residual: tf.Tensor | null = null) =>
        hooks.linear?.(m, x, residual) ?? linear(m, x, residual);
      let x = embedding(input.ids, table);
      blocks.forEach((b, layer) => {
        const normed = rmsNorm(x, b.inputNorm, c.rms_norm_eps);
        const [q, k] = rotary(apply(b.q, normed), apply(b.k, normed), { cos, sin, positions, headDim: c.head_dim });
        const v = apply(b.v, normed);
        const past = cache ? append(cache, layer, k, v) : { k, v };
        const mixed = attention(q, past.k, past.v, visible, {
          batch,
          queryLength: length,
          keyLength: cache?.capacity ?? length,
          heads: c.num_attention_heads,
          kvHeads: c.num_key_value_heads,
          headDim: c.head_dim,
          scale: 1 / Math.sqrt(c.head_dim),
          causal: !cache,
        });
        x = apply(b.o, mixed, x);
        const inner = rmsNorm(x, b.postNorm, c.rms_norm_eps);
        x = apply(b.down, swiglu(apply(b.gate, inner), apply(b.up, inner)), x);
      });
      if (cache) cache.length += length;
      return rmsNorm(x, finalNorm, c.rms_norm_eps);
    };

    return {
      family: 'llama',
      layers: blocks.length,
      hiddenSize: d,
      vocabSize: c.vocab_size,
      contextLength: c.max_position_embeddings,
      parameters,
      linears,
      output,
      hidden,
      createCache: (capacity) => ({
        capacity,
        length: 0,
        layers: blocks.map(() => ({
          k: tf.keep(tf.zeros([capacity, kv])),
          v: tf.keep(tf.zeros([capacity, kv])),
        })),
      }),
      dispose: () => {
        for (const t of owned) t.dispose();
      },
    };
  } catch (error) {
    for (const t of owned) t.dispose();
    throw error;
  }
}

/** Writes the new rows behind the cached ones, in place. */
function append(cache: KeyValueCache, layer: number, k: tf.Tensor, v: tf.Tensor): { k: tf.Tensor; v: tf.Tensor } {
  const slot = cache.layers[layer]!;
  const [rows, width] = k.shape as [number, number];
  if (cache.length + rows > cache.capacity) throw new Error(`The key/value cache holds ${cache.capacity} tokens.`);
  copyValues(k, 0, slot.k, cache.length * width, rows * width);
  copyValues(v, 0, slot.v, cache.length * width, rows * width);
  return slot;
}
