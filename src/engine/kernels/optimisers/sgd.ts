/**
 * SGD with momentum, in place over a flat range, as in torch.optim.SGD without dampening or Nesterov:
 *
 *   v ← μ·v + (g + wd·p);  p ← p − lr·v
 *
 * g is the gradient times the clipping factor in `stats` (grad-norm.ts); when that says "not finite", nothing changes.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

const shader = (
  momentum: boolean,
) => `struct Uniforms { offset: u32, length: u32, rate: f32, decay: f32, momentum: f32 }
@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
${momentum ? '@group(0) @binding(3) var<storage, read_write> velocity: array<f32>;' : ''}
@group(0) @binding(${momentum ? 4 : 3}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.length || stats[2] == 0.0) { return; }
  let i = u.offset + id;
  var step = grads[i] * stats[1] + u.decay * p[i];
${momentum ? '  step += u.momentum * velocity[i];\n  velocity[i] = step;' : ''}
  p[i] -= u.rate * step;
}`;

/** Updates [offset, offset + length) of the flat tensors; `velocity` is null without momentum. */
export function sgdStep(
  t: { params: tf.Tensor; grads: tf.Tensor; stats: tf.Tensor; velocity: tf.Tensor | null },
  range: { offset: number; length: number },
  h: { learningRate: number; weightDecay: number; momentum: number },
): void {
  const { velocity } = t;
  const kept = velocity ? [velocity] : [];
  runInPlace(
    (backend) =>
      dispatch(backend, {
        program: { key: velocity ? 'sgd momentum' : 'sgd', wgsl: () => shader(velocity !== null) },
        tensors: [t.params, t.grads, t.stats, ...kept],
        writes: [t.params, ...kept],
        uniforms: uniformBlock(u(range.offset), u(range.length), f(h.learningRate), f(h.weightDecay), f(h.momentum)),
        volatile: true,
        workgroups: groupsFor(range.length),
      }),
    () => {
      const [p, g] = [cpuArray(t.params), cpuArray(t.grads)];
      const v = velocity && cpuArray(velocity);
      const [, factor, finite] = cpuArray(t.stats) as unknown as [number, number, number];
      if (finite === 0) return;
      for (let i = range.offset; i < range.offset + range.length; i++) {
        let step = g[i]! * factor + h.weightDecay * p[i]!;
        if (v) {
          step += h.momentum * v[i]!;
          v[i] = step;
        }
        p[i]! -= h.learningRate * step;
      }
    },
  );
}
