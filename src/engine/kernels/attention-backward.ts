/**
 * Gradients of attention (forward: attention.ts), after FlashAttention (Dao et al., 2022): weights are made anew from q, k
 * and lse, tile by tile. With p = exp(scale · q·k − lse) and δ = Σ_D dO · o:
 *
 *   ds = p · (dO·v − δ) · scale     dq = Σ_keys ds · k     dk = Σ_rows ds · q     dv = Σ_rows p · dO
 *
 * Three dispatches: a row's (lse, δ); dq by rows; dk and dv by keys. No atomics: equal runs give equal bits.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { adapterTraits } from '../webgpu/adapter';
import { dispatch } from '../webgpu/dispatch';
import { type AttentionAttrs, attentionUniforms, eachQuery, slicesFor } from './attention';
import { type AttentionTile, backwardKeyValueShader, backwardQueryShader, statsShader } from './attention-wgsl';
import { defineKernel, sharedGradients, type View } from './kernel';
import { groupsFor } from './matmul';

export interface AttentionGradientInputs {
  q: tf.Tensor;
  k: tf.Tensor;
  v: tf.Tensor;
  visible: tf.Tensor;
  o: tf.Tensor;
  lse: tf.Tensor;
  dO: tf.Tensor;
}

const statsKernel = defineKernel<AttentionAttrs>({
  name: 'AttentionStats',
  outputs: ({ lse }) => [{ shape: [...lse!.shape, 2] }],
  cpu({ o, dO, lse }, { headDim }, [stats]) {
    lse!.data.forEach((value, i) => {
      let delta = 0;
      for (let d = i * headDim; d < (i + 1) * headDim; d++) delta += o!.data[d]! * dO!.data[d]!;
      stats!.set([value, delta], i * 2);
    });
  },
  gpu({ backend, inputs: { o, dO, lse }, outputs, attrs }) {
    dispatch(backend, {
      program: { key: `attention_stats ${attrs.headDim}`, wgsl: statsShader(attrs.headDim) },
      tensors: [o!, dO!, lse!, outputs[0]!],
      writes: outputs,
      uniforms: attentionUniforms(attrs),
      workgroups: groupsFor(attrs.batch * attrs.queryLength * attrs.heads),
    });
  },
});

/** The weight p of every visible pair and its gradient ds, with the places of its query's and key's vectors. */
function eachPair(
  { q, k, v, visible, dO, stats }: Record<string, View>,
  a: AttentionAttrs,
  body: (p: number, ds: number, queryAt: number, keyAt: number) => void,
): void {
  const d = a.headDim;
  eachQuery(visible!, a, (query, head, keys) => {
    const row = query * a.heads + head;
    const at = row * d;
    const [lse, delta] = [stats!.data[row * 2]!, stats!.data[row * 2 + 1]!];
    for (let j = keys.first; j < keys.end; j++) {
      const key = ((keys.base + j) * a.kvHeads + keys.head) * d;
      let score = 0;
      let gain = 0;
      for (let i = 0; i < d; i++) {
        score += q!.data[at + i]! * k!.data[key + i]!;
        gain += dO!.data[at + i]! * v!.data[key + i]!;
      }
      const p = Math.exp(score * a.scale - lse);
      body(p, p * (gain - delta) * a.scale, at, key);
    }
  });
}

function queryTile(software: boolean, headDim: number): AttentionTile {
  if (software) return { headDim, rows: 2, keys: 4, sums: 'memory', slices: 1 };
  return { headDim, rows: 1, keys: 4, sums: 'registers', slices: slicesFor(headDim, headDim % 4 === 0 ? 32 : 128) };
}

function keyTile(software: boolean, headDim: number): AttentionTile {
  if (software) return { headDim, rows: 2, keys: 4, sums: 'memory', slices: 1 };
  return { headDim, rows: 4, keys: 1, sums: 'registers', slices: slicesFor(headDim, headDim % 4 === 0 ? 16 : 64) };
}

const queryKernel = defineKernel<AttentionAttrs>({
  name: 'AttentionBackwardQuery',
  outputs: ({ q }) => [{ shape: q!.shape }],
  cpu(inputs, a, [dq]) {
    const sums = new Float64Array(dq!.length);
    eachPair(inputs, a, (_p, ds, at, key) => {
      for (let i = 0; i < a.headDim; i++) sums[at + i]! += ds * inputs.k!.data[key + i]!;
    });
    dq!.set(sums);
  },
  gpu({ backend, inputs: { q, k, v, visible, dO, stats }, outputs, attrs }) {
    const tile = queryTile(adapterTraits(backend.device).software, attrs.headDim);
    const rows = (attrs.queryLength * attrs.heads) / attrs.kvHeads;
    dispatch(backend, {
      program: { key: `attention_dq ${JSON.stringify(tile)}`, wgsl: backwardQueryShader(tile) },
      tensors: [q!, k!, v!, visible!, dO!, stats!, outputs[0]!],
      writes: outputs,
      uniforms: attentionUniforms(attrs),
      workgroups: groupsFor(attrs.batch * attrs.kvHeads * Math.ceil(rows / tile.rows) * tile.slices),
    });
  },
});

const keyValueKernel = defineKernel<AttentionAttrs>({
  name: 'AttentionBackwardKeyValue',
  outputs: ({ k }) => [{ shape: k!.shape }, { shape: k!.shape }],
  cpu(inputs, a, [dk, dv]) {
    const keySums = new Float64Array(dk!.length);
    const valueSums = new Float64Array(dv!.length);
    eachPair(inputs, a, (p, ds, at, key) => {
      for (let i = 0; i < a.headDim; i++) {
        keySums[key + i]! += ds * inputs.q!.data[at + i]!;
        valueSums[key + i]! += p * inputs.dO!.data[at + i]!;
      }
    });
    dk!.set(keySums);
    dv!.set(valueSums);
  },
  gpu({ backend, inputs: { q, k, v, visible, dO, stats }, outputs, attrs }) {
    const tile = keyTile(adapterTraits(backend.device).software, attrs.headDim);
    const tiles = Math.ceil(attrs.keyLength / tile.keys);
    dispatch(backend, {
      program: { key: `attention_dkv ${JSON.stringify(tile)}`, wgsl: backwardKeyValueShader(tile) },
      tensors: [q!, k!, v!, visible!, dO!, stats!, outputs[0]!, outputs[1]!],
      writes: outputs,
      uniforms: attentionUniforms(attrs),
      workgroups: groupsFor(attrs.batch * attrs.kvHeads * tiles * tile.slices),
    });
  },
});

/** Closures for the tape. Each of q, k and v may be asked for alone; what they share is computed once. */
export function attentionGradients(
  { q, k, v, visible, o, lse, dO }: AttentionGradientInputs,
  attrs: AttentionAttrs,
): Record<'q' | 'k' | 'v', () => tf.Tensor> {
  const stats = sharedGradients(() => statsKernel({ o, dO, lse }, attrs));
  const keyValue = sharedGradients(() => keyValueKernel({ q, k, v, visible, dO, stats: stats(0) }, attrs));
  return {
    q: () => queryKernel({ q, k, v, visible, dO, stats: stats(0) }, attrs)[0]!,
    k: () => keyValue(0),
    v: () => keyValue(1),
  };
}
