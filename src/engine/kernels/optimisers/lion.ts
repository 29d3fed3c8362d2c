/**
 * Lion (Chen et al., 2023, algorithm 2) with decoupled weight decay, in place over a flat range:
 *
 *   p ← p·(1 − lr·wd) − lr · sign(β1·m + (1−β1)·g);  m ← β2·m + (1−β2)·g
 *
 * g is the gradient times the clipping factor in `stats` (grad-norm.ts); when that says "not finite", nothing changes.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

const WGSL = `struct Uniforms {
  offset: u32, length: u32, decay: f32, rate: f32,
  beta1: f32, rest1: f32, beta2: f32, rest2: f32,
}
@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read_write> m: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.length || stats[2] == 0.0) { return; }
  let i = u.offset + id;
  let g = grads[i] * stats[1];
  p[i] = p[i] * u.decay - u.rate * sign(u.beta1 * m[i] + u.rest1 * g);
  m[i] = u.beta2 * m[i] + u.rest2 * g;
}`;

/** Updates [offset, offset + length) of the flat tensors. */
export function lionStep(
  t: { params: tf.Tensor; grads: tf.Tensor; m: tf.Tensor; stats: tf.Tensor },
  range: { offset: number; length: number },
  h: { learningRate: number; weightDecay: number; beta1: number; beta2: number },
): void {
  const decay = 1 - h.learningRate * h.weightDecay;
  runInPlace(
    (backend) =>
      dispatch(backend, {
        program: { key: 'lion', wgsl: WGSL },
        tensors: [t.params, t.grads, t.m, t.stats],
        writes: [t.params, t.m],
        uniforms: uniformBlock(
          u(range.offset),
          u(range.length),
          f(decay),
          f(h.learningRate),
          f(h.beta1),
          f(1 - h.beta1),
          f(h.beta2),
          f(1 - h.beta2),
        ),
        volatile: true,
        workgroups: groupsFor(range.length),
      }),
    () => {
      const [p, grads, m] = [cpuArray(t.params), cpuArray(t.grads), cpuArray(t.m)];
      const [, factor, finite] = cpuArray(t.stats) as unknown as [number, number, number];
      if (finite === 0) return;
      for (let i = range.offset; i < range.offset + range.length; i++) {
        const g = grads[i]! * factor;
        p[i] = p[i]! * decay - h.learningRate * Math.sign(h.beta1 * m[i]! + (1 - h.beta1) * g);
        m[i] = h.beta2 * m[i]! + (1 - h.beta2) * g;
      }
    },
  );
}
