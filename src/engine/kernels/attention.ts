/**
 * Grouped-query attention whose scores are never stored, forward (backward: attention-backward.ts).
 *
 *   q [B·Tq, H·D]   k, v [B·Tk, Hk·D]   visible int32 [B·Tq, 2]   ->   o [B·Tq, H·D], lse [B·Tq, H]
 *
 * Query head h reads key head ⌊h / (H/Hk)⌋. `visible` holds for each query the range [first, end) of its row's keys that it
 * attends to (see visible.ts): causal masks, padding, packed documents, sliding windows, caches. An empty range gives o = 0
 * and lse = 0. lse is the natural logarithm of Σ exp(scale · q·k), which the backward pass makes the weights from.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { adapterTraits } from '../webgpu/adapter';
import { dispatch, f, u, uniformBlock } from '../webgpu/dispatch';
import { type AttentionGradientInputs, attentionGradients } from './attention-backward';
import { type AttentionTile, forwardShader, unitsOf } from './attention-wgsl';
import { defineKernel, shapeError, type View } from './kernel';
import { groupsFor } from './matmul';

export interface AttentionAttrs {
  batch: number;
  queryLength: number;
  keyLength: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Of the scores; 1/√D as a rule. */
  scale: number;
  /** No query i sees a key after i: a promise about `visible`, which lets the gradient of a key skip earlier queries. */
  causal?: boolean;
}

export function attentionUniforms(a: AttentionAttrs): ArrayBuffer {
  const group = a.heads / a.kvHeads;
  return uniformBlock(
    ...[a.batch, a.queryLength, a.keyLength, a.heads, a.kvHeads, group, a.causal ? 1 : 0].map(u),
    f(a.scale),
  );
}

/** The largest tile width that a head's units can be cut into so that a thread holds at most `limit` of them. */
export function slicesFor(headDim: number, limit: number): number {
  const units = unitsOf(headDim);
  for (let slices = 1; slices < units; slices++) {
    if (units % slices === 0 && units / slices <= limit) return slices;
  }
  return units;
}

function forwardTile(software: boolean, headDim: number): AttentionTile {
  // A CPU's loads are dear, so its threads use each value often. A GPU wants threads, and registers within its file.
  if (software) return { headDim, rows: 2, keys: 4, sums: 'memory', slices: 1 };
  return { headDim, rows: 1, keys: 4, sums: 'registers', slices: slicesFor(headDim, headDim % 4 === 0 ? 32 : 128) };
}

/** For each query its row's base and the range of keys that it sees. */
export function eachQuery(
  visible: View,
  a: AttentionAttrs,
  body: (query: number, head: number, keys: { base: number; first: number; end: number; head: number }) => void,
): void {
  for (let query = 0; query < a.batch * a.queryLength; query++) {
    const base = Math.floor(query / a.queryLength) * a.keyLength;
    const first = Math.max(0, visible.data[query * 2]!);
    const end = Math.min(visible.data[query * 2 + 1]!, a.keyLength);
    for (let head = 0; head < a.heads; head++) {
      body(query, head, { base, first, end, head: Math.floor((head * a.kvHeads) / a.heads) });
    }
  }
}

const attentionKernel = defineKernel<AttentionAttrs>({
  name: 'Attention',
  outputs({ q, k, v, visible }, a) {
    const matches = (t: { shape: number[] } | undefined, rows: number, width: number) =>
      t?.shape.length === 2 && t.shape[0] === rows && t.shape[1] === width;
    const queries = a.batch * a.queryLength;
    const keys = a.batch * a.keyLength;
    const kvWidth = a.kvHeads * a.headDim;
    if (
      a.heads % a.kvHeads !== 0 ||
      !matches(q, queries, a.heads * a.headDim) ||
      !matches(k, keys, kvWidth) ||
      !matches(v, keys, kvWidth) ||
      !matches(visible, queries, 2)
    ) {
      throw shapeError(
        'Attention',
        `q [${queries}, ${a.heads}·${a.headDim}], k and v [${keys}, ${a.kvHeads}·${a.headDim}], visible [${queries}, 2]`,
        { q: q?.shape, k: k?.shape, v: v?.shape, visible: visible?.shape },
      );
    }
    return [{ shape: q!.shape }, { shape: [queries, a.heads] }];
  },
  cpu({ q, k, v, visible }, a, [o, lse]) {
    const d = a.headDim;
    eachQuery(visible!, a, (query, head, keys) => {
      if (keys.first >= keys.end) return;
      const at = (query * a.heads + head) * d;
      const place = (j: number) => ((keys.base + j) * a.kvHeads + keys.head) * d;
      const scores: number[] = [];
      for (let j = keys.first; j < keys.end; j++) {
        let dot = 0;
        for (let i = 0; i < d; i++) dot += q!.data[at + i]! * k!.data[place(j) + i]!;
        scores.push(dot * a.scale);
      }
      const top = scores.reduce((m, s) => Math.max(m, s), -Infinity);
      const total = scores.reduce((sum, s) => sum + Math.exp(s - top), 0);
      lse![query * a.heads + head] = top + Math.log(total);
      for (let i = 0; i < d; i++) {
        let sum = 0;
        scores.forEach((s, n) => {
          sum += (Math.exp(s - top) / total) * v!.data[place(keys.first + n) + i]!;
        });
        o![at + i] = sum;
      }
    });
  },
  gpu({ backend, inputs: { q, k, v, visible }, outputs, attrs }) {
    const tile = forwardTile(adapterTraits(backend.device).software, attrs.headDim);
    const rows = (attrs.queryLength * attrs.heads) / attrs.kvHeads;
    dispatch(backend, {
      program: { key: `attention ${JSON.stringify(tile)}`, wgsl: forwardShader(tile) },
      tensors: [q!, k!, v!, visible!, outputs[0]!, outputs[1]!],
      writes: outputs,
      uniforms: attentionUniforms(attrs),
      workgroups: groupsFor(attrs.batch * attrs.kvHeads * Math.ceil(rows / tile.rows) * tile.slices),
    });
  },
  gradient([dO], { inputs: { q, k, v, visible }, outputs: [o, lse] }, attrs) {
    return attentionGradients({ q, k, v, visible, o, lse, dO } as AttentionGradientInputs, attrs);
  },
});

/** q [B·Tq, H·D], k and v [B·Tk, Hk·D], visible int32 [B·Tq, 2] -> [B·Tq, H·D]. */
export function attention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  visible: tf.Tensor,
  attrs: AttentionAttrs,
): tf.Tensor {
  const [o, lse] = attentionKernel({ q, k, v, visible }, attrs);
  lse!.dispose();
  return o!;
}
