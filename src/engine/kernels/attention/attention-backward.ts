/**
 * Gradients of attention (forward: attention.ts), after FlashAttention (Dao et al., 2022): the weights are recomputed from
 * q, k and lse. With p = exp(score − lse) and δ = Σ_D dO · o:
 *
 *   ds = p · (dO·v − δ) · score'     dq = Σ_keys ds · k     dk = Σ_rows ds · q     dv = Σ_rows p · dO
 *
 * where score' is the scale, times 1 − tanh² with a soft cap. With dropout, dO·v and the p of dv are multiplied by the
 * forward pass's mask; δ needs no change, because o was computed from the masked weights.
 *
 * No atomics: equal runs give equal bits.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch } from '../../webgpu/dispatch';
import { defineKernel, type GpuCall, sharedGradients, type View } from '../kernel';
import { bindingsOf, groupsFor } from '../products/matmul';
import { gatherShader, gradientsShader, mixShader, weightsShader } from './attention-scores-wgsl';
import {
  type AttentionAttrs,
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
import { backwardKeyValueShader, backwardQueryShader, statsShader, unitsOf } from './attention-wgsl';
import { flashBackward } from './flash-attention';
import { eachQuery } from './visible';

export interface AttentionGradientInputs {
  q: tf.Tensor;
  k: tf.Tensor;
  v: tf.Tensor;
  visible: tf.Tensor;
  o: tf.Tensor;
  lse: tf.Tensor;
  dO: tf.Tensor;
}

/** The weight p (after dropout) and score gradient ds of every visible pair, with the offsets of its query and key vectors. */
function eachPair(
  { q, k, v, visible, o, lse, dO }: Record<string, View>,
  a: AttentionAttrs,
  body: (p: number, ds: number, queryAt: number, keyAt: number) => void,
): void {
  const d = a.headDim;
  const dot = (x: View, at: number, y: View, from: number) => {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += x.data[at + i]! * y.data[from + i]!;
    return sum;
  };
  const kept = keptOf(a);
  eachQuery(visible!.data, a, (query, head, keys) => {
    const row = query * a.heads + head;
    const at = row * d;
    const delta = dot(o!, at, dO!, at);
    for (let j = keys.first; j < keys.end; j++) {
      const key = ((keys.base + j) * a.kvHeads + keys.head) * d;
      const { score, slope } = scoreOf(dot(q!, at, k!, key), a);
      const p = Math.exp(score - lse!.data[row]!);
      const mask = kept(row, j);
      body(p * mask, p * (dot(dO!, at, v!, key) * mask - delta) * slope, at, key);
    }
  });
}

const backward = defineKernel<AttentionAttrs>({
  name: 'AttentionBackward',
  outputs: ({ q, k, v }) => [q!, k!, v!].map(({ shape }) => ({ shape })),
  cpu(inputs, a, outputs) {
    const [dq, dk, dv] = outputs.map((out) => new Float64Array(out.length)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    eachPair(inputs, a, (p, ds, at, key) => {
      for (let i = 0; i < a.headDim; i++) {
        dq[at + i]! += ds * inputs.k!.data[key + i]!;
        dk[key + i]! += ds * inputs.q!.data[at + i]!;
        dv[key + i]! += p * inputs.dO!.data[at + i]!;
      }
    });
    [dq, dk, dv].forEach((sums, i) => {
      outputs[i]!.set(sums);
    });
  },
  gpu(call) {
    const path = attentionPath(call.backend, call.attrs);
    if (path === 'scores') byScores(call);
    else (path === 'flash' ? flashBackward : online)(call, statsOf(call));
  },
});

/** lse and Σ dO·o of every row, beside each other. */
function statsOf({ backend, inputs: { o, lse, dO }, attrs: a, temp }: GpuCall<AttentionAttrs>): tf.TensorInfo {
  const { width } = attentionTiles(backend, a);
  const stats = temp([...lse!.shape, 2]);
  dispatch(backend, {
    program: { key: `attention_stats ${JSON.stringify(width)}`, wgsl: () => statsShader(width) },
    tensors: [o!, dO!, lse!, stats],
    writes: [stats],
    uniforms: attentionUniforms(a),
    volatile: hasDropout(a),
    workgroups: groupsFor(a.batch * a.queryLength * a.heads),
  });
  return stats;
}

function byScores(call: GpuCall<AttentionAttrs>): void {
  const { backend, outputs, attrs: a, temp } = call;
  const { q, k, v, visible, o, lse, dO } = call.inputs;
  // With nine bindings, weights need no statistics, and one dispatch gives all gradients.
  const nine = bindingsOf(backend) >= 9;
  const from = nine ? 'o' : 'stats';
  const stats = nine ? [o!, lse!] : [statsOf(call)];
  const [dq, dk, dv] = outputs as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
  const tiles = attentionTiles(backend, a).scores;
  const rows = rowsOf(a);
  const quads = quadsOf(a);
  const units = unitsOf(a.headDim);
  const shape = [pairsAtATime(a), rows, quads * 4];
  const p = temp(shape);
  const ds = temp(shape);
  eachChunk(a, (uniforms, pairs) => {
    const down = (tile: { rows: number }, of: number) => Math.ceil(of / tile.rows);
    dispatch(backend, {
      program: {
        key: `attention_weights ${from} ${JSON.stringify(tiles.weights)}`,
        wgsl: () => weightsShader(tiles.weights, from),
      },
      tensors: [q!, k!, v!, visible!, dO!, ...stats, p, ds],
      writes: [p, ds],
      uniforms,
      volatile: hasDropout(a),
      workgroups: groupsFor(pairs * down(tiles.weights, rows) * Math.ceil((quads * 4) / tiles.weights.columns)),
    });
    const mixes = pairs * down(tiles.mix, rows) * Math.ceil(units / tiles.mix.columns);
    const gathers = pairs * down(tiles.gather, a.keyLength) * Math.ceil(units / tiles.gather.columns);
    if (nine) {
      dispatch(backend, {
        program: {
          key: `attention_gradients ${JSON.stringify([tiles.gather, tiles.mix])}`,
          wgsl: () => gradientsShader(tiles.gather, tiles.mix),
        },
        tensors: [p, ds, q!, k!, visible!, dO!, dq, dk, dv],
        writes: [dq, dk, dv],
        uniforms,
        volatile: hasDropout(a),
        workgroups: groupsFor(Math.ceil(gathers / 64) * 64 + mixes),
      });
      return;
    }
    dispatch(backend, {
      program: { key: `attention_mix ${JSON.stringify(tiles.mix)}`, wgsl: () => mixShader(tiles.mix) },
      tensors: [ds, k!, visible!, dq],
      writes: [dq],
      uniforms,
      volatile: hasDropout(a),
      workgroups: groupsFor(mixes),
    });
    dispatch(backend, {
      program: { key: `attention_gather ${JSON.stringify(tiles.gather)}`, wgsl: () => gatherShader(tiles.gather) },
      tensors: [p, ds, q!, dO!, dk, dv],
      writes: [dk, dv],
      uniforms,
      volatile: hasDropout(a),
      workgroups: groupsFor(gathers),
    });
  });
}

function online({ backend, inputs, outputs, attrs: a }: GpuCall<AttentionAttrs>, stats: tf.TensorInfo): void {
  const { q, k, v, visible, dO } = inputs;
  const [dq, dk, dv] = outputs as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
  const { query, keyValue } = attentionTiles(backend, a).online;
  const uniforms = attentionUniforms(a);
  const pairs = a.batch * a.kvHeads;
  dispatch(backend, {
    program: { key: `attention_dq ${JSON.stringify(query)}`, wgsl: () => backwardQueryShader(query) },
    tensors: [q!, k!, v!, visible!, dO!, stats, dq],
    writes: [dq],
    uniforms,
    volatile: hasDropout(a),
    workgroups: groupsFor(pairs * Math.ceil(rowsOf(a) / query.rows) * query.slices),
  });
  dispatch(backend, {
    program: { key: `attention_dkv ${JSON.stringify(keyValue)}`, wgsl: () => backwardKeyValueShader(keyValue) },
    tensors: [q!, k!, v!, visible!, dO!, stats, dk, dv],
    writes: [dk, dv],
    uniforms,
    volatile: hasDropout(a),
    workgroups: groupsFor(pairs * Math.ceil(a.keyLength / keyValue.keys) * keyValue.slices),
  });
}

/** Closures for the tape, from one kernel run whichever of q, k and v are asked for. */
export function attentionGradients(
  inputs: AttentionGradientInputs,
  attrs: AttentionAttrs,
): Record<'q' | 'k' | 'v', () => tf.Tensor> {
  const all = sharedGradients(() => backward({ ...inputs }, attrs));
  return { q: () => all(0), k: () => all(1), v: () => all(2) };
}
