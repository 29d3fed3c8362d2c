/**
 * Adam and AdamW, in place over a flat range, one dispatch per parameter group. Follows torch.optim.AdamW term by term
 * (Loshchilov & Hutter, 2019: weight decay decoupled from the gradient):
 *
 *   p ← p·(1 − lr·wd);  m ← β1·m + (1−β1)·g;  v ← β2·v + (1−β2)·g²
 *   p ← p − lr/(1−β1ᵗ) · m / (√v / √(1−β2ᵗ) + ε)
 *
 * With coupled weight decay it follows torch.optim.Adam: g ← g + wd·p replaces the first term (Kingma & Ba, 2015).
 *
 * g is the gradient times the clipping factor in `stats` (grad-norm.ts); when that says "not finite", nothing changes.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

export interface AdamWHyper {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Adam: adds weight decay to the gradient. */
  coupled?: boolean;
  /** 1-based count of updates, for the bias correction. */
  step: number;
}

/** Flat float32 tensors [N], and stats [4]. */
export interface AdamState {
  params: tf.Tensor;
  grads: tf.Tensor;
  m: tf.Tensor;
  v: tf.Tensor;
  stats: tf.Tensor;
}

const WGSL = `struct Uniforms {
  offset: u32, length: u32, decay: f32, epsilon: f32, stepSize: f32, rootCorrection: f32,
  // As in torch, 1 − β is taken before rounding to f32; rounding first would cost 1 − β2 its fifth digit.
  beta1: f32, rest1: f32, beta2: f32, rest2: f32,
  // Weight decay added to the gradient; index of the first value that the moments hold.
  coupled: f32, shift: u32,
}
@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read_write> m: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;
@group(0) @binding(4) var<storage, read> stats: array<f32>;
@group(0) @binding(5) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.length || stats[2] == 0.0) { return; }
  let i = u.offset + id;
  let j = i - u.shift;
  let g = grads[i] * stats[1] + u.coupled * p[i];
  let first = u.beta1 * m[j] + u.rest1 * g;
  let second = u.beta2 * v[j] + u.rest2 * g * g;
  m[j] = first;
  v[j] = second;
  p[i] = p[i] * u.decay - u.stepSize * first / (sqrt(second) / u.rootCorrection + u.epsilon);
}`;

/** Updates [offset, offset + length) of the flat tensors. The moment tensors may lack the first `shift` values. */
export function adamW(t: AdamState, range: { offset: number; length: number }, h: AdamWHyper, shift = 0): void {
  const decay = h.coupled ? 1 : 1 - h.learningRate * h.weightDecay;
  const coupled = h.coupled ? h.weightDecay : 0;
  const stepSize = h.learningRate / (1 - h.beta1 ** h.step);
  const rootCorrection = Math.sqrt(1 - h.beta2 ** h.step);
  runInPlace(
    (backend) =>
      dispatch(backend, {
        program: { key: 'adamw', wgsl: WGSL },
        tensors: [t.params, t.grads, t.m, t.v, t.stats],
        writes: [t.params, t.m, t.v],
        uniforms: uniformBlock(
          u(range.offset),
          u(range.length),
          f(decay),
          f(h.epsilon),
          f(stepSize),
          f(rootCorrection),
          f(h.beta1),
          f(1 - h.beta1),
          f(h.beta2),
          f(1 - h.beta2),
          f(coupled),
          u(shift),
        ),
        volatile: true,
        workgroups: groupsFor(range.length),
      }),
    () => {
      const [p, g, m, v] = [t.params, t.grads, t.m, t.v].map(cpuArray) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const [, factor, finite] = cpuArray(t.stats) as unknown as [number, number, number];
      if (finite === 0) return;
      for (let i = range.offset; i < range.offset + range.length; i++) {
        const j = i - shift;
        const grad = g[i]! * factor + coupled * p[i]!;
        m[j] = h.beta1 * m[j]! + (1 - h.beta1) * grad;
        v[j] = h.beta2 * v[j]! + (1 - h.beta2) * grad * grad;
        p[i] = p[i]! * decay - (stepSize * m[j]!) / (Math.sqrt(v[j]!) / rootCorrection + h.epsilon);
      }
    },
  );
}
