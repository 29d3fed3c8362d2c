/**
 * Grouped-query attention without ever storing a T×T matrix (Dao et al., 2022; Ainslie et al., 2023).
 *
 *   q [B·Tq, H·D]   k, v [B·Tk, KV·D]   visible int32 [B·Tq, 2]   ->   o [B·Tq, H·D]
 *
 * Query i of a row attends to that row's keys [first, end) = visible[i]; an empty interval gives zero. That one rule covers
 * causal masks, padding, packed documents, sliding windows and caches. Also kept for the gradient: lse [B·Tq, H], the
 * natural log of the sum of the exponentiated scores.
 *
 * Backward, with p = exp(scale·q·k − lse) made again:  delta = Σ dO·O;  ds = scale · p · (dO·v − delta);
 * dq = Σ ds·k;  dk = Σ ds·q;  dv = Σ p·dO.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../webgpu/dispatch';
import { backwardKeyValueShader, backwardQueryShader, backwardStatsShader, forwardShader } from './attention-wgsl';
import { defineKernel, shapeError, sharedGradients, type View } from './kernel';
import { groupsFor } from './matmul';

export interface AttentionAttrs {
  batch: number;
  queryLength: number;
  keyLength: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  scale: number;
  /** No query i sees a key after i: lets the gradient of a key skip the queries before it. */
  causal: boolean;
}

const uniforms = (a: AttentionAttrs) =>
  uniformBlock(
    u(a.batch),
    u(a.queryLength),
    u(a.keyLength),
    u(a.heads),
    u(a.kvHeads),
    f(a.scale),
    u(a.causal ? 1 : 0),
  );

/** Calls `visit` for every (query row, head, key row) that is visible, with the offsets of their vectors. */
function forEachPair(
  visible: View,
  a: AttentionAttrs,
  begin: (row: number, head: number, q: number) => void,
  visit: (k: number) => void,
  end: () => void,
): void {
  const group = a.heads / a.kvHeads;
  for (let row = 0; row < a.batch * a.queryLength; row++) {
    const keys = Math.floor(row / a.queryLength) * a.keyLength;
    for (let h = 0; h < a.heads; h++) {
      begin(row, h, (row * a.heads + h) * a.headDim);
      const last = Math.min(visible.data[2 * row + 1]!, a.keyLength);
      for (let j = Math.max(0, visible.data[2 * row]!); j < last; j++) {
        visit(((keys + j) * a.kvHeads + Math.floor(h / group)) * a.headDim);
      }
      end();
    }
  }
}

const dot = (a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number, n: number) => {
  let sum = 0;
  for (let c = 0; c < n; c++) sum += a[i + c]! * b[j + c]!;
  return sum;
};

const forward = defineKernel<AttentionAttrs>({
  name: 'Attention',
  outputs({ q, k, v, visible }, a) {
    const fits =
      q?.shape.join() === `${a.batch * a.queryLength},${a.heads * a.headDim}` &&
      k?.shape.join() === `${a.batch * a.keyLength},${a.kvHeads * a.headDim}` &&
      v?.shape.join() === k.shape.join() &&
      visible?.shape.join() === `${a.batch * a.queryLength},2` &&
      a.heads % a.kvHeads === 0;
    if (!fits) {
      throw shapeError(
        'Attention',
        `q [${a.batch}·${a.queryLength}, ${a.heads}·${a.headDim}], k and v [${a.batch}·${a.keyLength}, ${a.kvHeads}·${a.headDim}], visible [${a.batch}·${a.queryLength}, 2]`,
        { q: q?.shape, k: k?.shape, v: v?.shape, visible: visible?.shape },
      );
    }
    return [{ shape: q!.shape }, { shape: [a.batch * a.queryLength, a.heads] }];
  },
  cpu({ q, k, v, visible }, a, [o, lse]) {
    let at = { row: 0, head: 0, q: 0 };
    let pairs: { k: number; score: number }[] = [];
    forEachPair(
      visible!,
      a,
      (row, head, query) => {
        at = { row, head, q: query };
        pairs = [];
      },
      (key) => pairs.push({ k: key, score: a.scale * dot(q!.data, at.q, k!.data, key, a.headDim) }),
      () => {
        if (pairs.length === 0) return;
        const top = Math.max(...pairs.map((p) => p.score));
        const sum = pairs.reduce((total, p) => total + Math.exp(p.score - top), 0);
        lse![at.row * a.heads + at.head] = top + Math.log(sum);
        for (let c = 0; c < a.headDim; c++) {
          o![at.q + c] = pairs.reduce((total, p) => total + (Math.exp(p.score - top) / sum) * v!.data[p.k + c]!, 0);
        }
      },
    );
  },
  gpu({ backend, inputs, outputs, attrs }) {
    dispatch(backend, {
      program: { key: `attention d=${attrs.headDim}`, wgsl: forwardShader(attrs.headDim) },
      tensors: [inputs.q!, inputs.k!, inputs.v!, inputs.visible!, ...outputs],
      writes: outputs,
      uniforms: uniforms(attrs),
      workgroups: groupsFor(attrs.batch * attrs.heads * attrs.queryLength),
    });
  },
  savesOutputs: [true, true],
  gradient([dO], { inputs: { q, k, v, visible }, outputs: [o, lse] }, attrs) {
    const all = sharedGradients(() =>
      backward({ q: q!, k: k!, v: v!, visible: visible!, o: o!, lse: lse!, dO: dO! }, attrs),
    );
    return { q: () => all(0), k: () => all(1), v: () => all(2) };
  },
});

const backward = defineKernel<AttentionAttrs>({
  name: 'AttentionBackward',
  outputs: ({ q, k }) => [{ shape: q!.shape }, { shape: k!.shape }, { shape: k!.shape }],
  cpu({ q, k, v, visible, o, lse, dO }, a, [dq, dk, dv]) {
    const d = a.headDim;
    let at = { stat: 0, q: 0, delta: 0 };
    forEachPair(
      visible!,
      a,
      (row, head, query) => {
        at = { stat: row * a.heads + head, q: query, delta: dot(dO!.data, query, o!.data, query, d) };
      },
      (key) => {
        const p = Math.exp(a.scale * dot(q!.data, at.q, k!.data, key, d) - lse!.data[at.stat]!);
        const ds = a.scale * p * (dot(dO!.data, at.q, v!.data, key, d) - at.delta);
        for (let c = 0; c < d; c++) {
          dq![at.q + c]! += ds * k!.data[key + c]!;
          dk![key + c]! += ds * q!.data[at.q + c]!;
          dv![key + c]! += p * dO!.data[at.q + c]!;
        }
      },
      () => {},
    );
  },
  gpu({ backend, inputs, outputs, attrs, temp }) {
    const { q, k, v, visible, o, lse, dO } = inputs;
    const [dq, dk, dv] = outputs as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
    const block = uniforms(attrs);
    const queries = groupsFor(attrs.batch * attrs.heads * attrs.queryLength);
    const stats = temp([attrs.batch * attrs.queryLength, attrs.heads, 2]);
    dispatch(backend, {
      program: { key: `attention_backward_stats d=${attrs.headDim}`, wgsl: backwardStatsShader(attrs.headDim) },
      tensors: [o!, lse!, dO!, stats],
      writes: [stats],
      uniforms: block,
      workgroups: queries,
    });
    dispatch(backend, {
      program: { key: `attention_backward_query d=${attrs.headDim}`, wgsl: backwardQueryShader(attrs.headDim) },
      tensors: [q!, k!, v!, visible!, stats, dO!, dq],
      writes: [dq],
      uniforms: block,
      workgroups: queries,
    });
    dispatch(backend, {
      program: { key: `attention_backward_kv d=${attrs.headDim}`, wgsl: backwardKeyValueShader(attrs.headDim) },
      tensors: [q!, k!, v!, visible!, stats, dO!, dk, dv],
      writes: [dk, dv],
      uniforms: block,
      workgroups: groupsFor(attrs.batch * attrs.kvHeads * attrs.keyLength),
    });
  },
});

/** Attention as described above; the shapes are checked. */
export function attention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  visible: tf.Tensor,
  attrs: AttentionAttrs,
): tf.Tensor {
  const [o, lse] = forward({ q, k, v, visible }, attrs);
  lse!.dispose();
  return o!;
}
