/**
 * Grouped-query attention, forward pass (backward: attention-backward.ts; the paths it can take: attention-tiles.ts, and few-queries.ts).
 *
 *   q [B·Tq, H·D]   k, v [B·Tk, Hk·D]   visible int32 [B·Tq, 2]   ->   o [B·Tq, H·D], lse [B·Tq, H]
 *
 * Query head h reads key head ⌊h / (H/Hk)⌋. `visible` holds, for each query, the range [first, end) of its row's keys that
 * it attends to (see visible.ts): causal masks, padding, packed documents, caches. A layer's sliding window narrows it
 * further. An empty range gives o = 0 and lse = 0. lse is the natural logarithm of Σ exp(score); the backward pass
 * recomputes the weights from it, so nothing of size tokens × tokens is kept. A score is scale · q·k, or
 * cap · tanh(scale · q·k / cap). Dropout (attention-tiles.ts) applies to the weights, after the softmax.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch } from '../../webgpu/dispatch';
import { defineKernel, type GpuCall, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import { type AttentionGradientInputs, attentionGradients } from './attention-backward';
import { mixShader, scoresShader, softmaxShader } from './attention-scores-wgsl';
import {
  type AttentionAttrs,
  type AttentionDropout,
  attentionPath,
  attentionTiles,
  attentionUniforms,
  eachChunk,
  hasDropout,
  keptOf,
  pairsAtATime,
  quadsOf,
  rowsOf,
  scoreOf,
} from './attention-tiles';
import { forwardShader, unitsOf } from './attention-wgsl';
import { recordFewQueries, takesFewQueries } from './few-queries';
import { flashForward } from './flash-attention';
import { eachQuery } from './visible';

export type { AttentionAttrs, AttentionDropout };

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
    const kept = keptOf(a);
    eachQuery(visible!.data, a, (query, head, keys) => {
      if (keys.first >= keys.end) return;
      const at = (query * a.heads + head) * d;
      const place = (j: number) => ((keys.base + j) * a.kvHeads + keys.head) * d;
      const scores: number[] = [];
      for (let j = keys.first; j < keys.end; j++) {
        let dot = 0;
        for (let i = 0; i < d; i++) dot += q!.data[at + i]! * k!.data[place(j) + i]!;
        scores.push(scoreOf(dot, a).score);
      }
      const top = scores.reduce((m, s) => Math.max(m, s), -Infinity);
      const total = scores.reduce((sum, s) => sum + Math.exp(s - top), 0);
      lse![query * a.heads + head] = top + Math.log(total);
      const weights = scores.map((s, n) => (Math.exp(s - top) / total) * kept(query * a.heads + head, keys.first + n));
      for (let i = 0; i < d; i++) {
        let sum = 0;
        weights.forEach((p, n) => {
          sum += p * v!.data[place(keys.first + n) + i]!;
        });
        o![at + i] = sum;
      }
    });
  },
  gpu(call) {
    const { backend, inputs, outputs, attrs } = call;
    const path = attentionPath(backend, attrs);
    if (takesFewQueries(backend, attrs))
      recordFewQueries(backend, inputs, outputs as [tf.TensorInfo, tf.TensorInfo], attrs);
    else if (path === 'flash') flashForward(call);
    else if (path === 'scores') byScores(call);
    else online(call);
  },
  gradient([dO], { inputs: { q, k, v, visible }, outputs: [o, lse] }, attrs) {
    return attentionGradients({ q, k, v, visible, o, lse, dO } as AttentionGradientInputs, attrs);
  },
});

function byScores({ backend, inputs: { q, k, v, visible }, outputs, attrs: a, temp }: GpuCall<AttentionAttrs>): void {
  const [o, lse] = outputs as [tf.TensorInfo, tf.TensorInfo];
  const { lanes, scores: tiles } = attentionTiles(backend, a);
  const rows = rowsOf(a);
  const quads = quadsOf(a);
  const scores = temp([pairsAtATime(a), rows, quads * 4]);
  const down = (tile: { rows: number }) => Math.ceil(rows / tile.rows);
  // With dropout the step differs in every call, so a cached uniform block would never be used again.
  const volatile = hasDropout(a);
  eachChunk(a, (uniforms, pairs) => {
    dispatch(backend, {
      program: { key: `attention_scores ${JSON.stringify(tiles.scores)}`, wgsl: () => scoresShader(tiles.scores) },
      tensors: [q!, k!, visible!, scores],
      writes: [scores],
      uniforms,
      volatile,
      workgroups: groupsFor(pairs * down(tiles.scores) * Math.ceil((quads * 4) / tiles.scores.columns)),
    });
    dispatch(backend, {
      program: {
        key: `attention_softmax lanes=${lanes} dropout=${hasDropout(a)}`,
        wgsl: () => softmaxShader(lanes, hasDropout(a)),
      },
      tensors: [visible!, scores, lse],
      writes: [scores, lse],
      uniforms,
      volatile,
      workgroups: groupsFor(pairs * rows * lanes),
    });
    dispatch(backend, {
      program: { key: `attention_mix ${JSON.stringify(tiles.mix)}`, wgsl: () => mixShader(tiles.mix) },
      tensors: [scores, v!, visible!, o],
      writes: [o],
      uniforms,
      volatile,
      workgroups: groupsFor(pairs * down(tiles.mix) * Math.ceil(unitsOf(a.headDim) / tiles.mix.columns)),
    });
  });
}

function online({ backend, inputs: { q, k, v, visible }, outputs, attrs: a }: GpuCall<AttentionAttrs>): void {
  const tile = attentionTiles(backend, a).online.forward;
  dispatch(backend, {
    program: { key: `attention ${JSON.stringify(tile)}`, wgsl: () => forwardShader(tile) },
    tensors: [q!, k!, v!, visible!, ...outputs],
    writes: outputs,
    uniforms: attentionUniforms(a),
    volatile: hasDropout(a),
    workgroups: groupsFor(a.batch * a.kvHeads * Math.ceil(rowsOf(a) / tile.rows) * tile.slices),
  });
}

/** q [B·Tq, H·D], k and v [B·Tk, Hk·D], visible int32 [B·Tq, 2] -> [B·Tq, H·D]. */
export function attention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  visible: tf.Tensor,
  attrs: AttentionAttrs,
): tf.Tensor {
  const p = attrs.dropout?.p ?? 0;
  if (!(p >= 0 && p < 1)) throw new Error(`Attention: dropout must be at least 0 and below 1, not ${p}.`);
  const [o, lse] = attentionKernel({ q, k, v, visible }, attrs);
  lse!.dispose();
  return o!;
}
