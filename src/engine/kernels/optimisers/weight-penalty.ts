/**
 * A penalty on how far the parameters have moved from their starting values, over the flat buffers [N], before clipping:
 *
 *   s_i = uniform + weighted · F_i;  g ← g + s·(p − p0);  penalty = ½ Σ s·(p − p0)²
 *
 * `uniform` is L2-SP's α (Li et al., 2018), `weighted` EWC's λ with the Fisher information F (Kirkpatrick et al., 2017). The
 * penalty is written as partial sums, one per thread, which grad-norm.ts adds up in order.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

const shader = (weighted: boolean) => `struct Uniforms { n: u32, threads: u32, uniform_: f32, weighted: f32 }
@group(0) @binding(0) var<storage, read_write> grads: array<f32>;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read> anchor: array<f32>;
@group(0) @binding(3) var<storage, read_write> penalty: array<f32>;
${weighted ? '@group(0) @binding(4) var<storage, read> fisher: array<f32>;' : ''}
@group(0) @binding(${weighted ? 5 : 4}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.threads) { return; }
  var sum = 0.0;
  for (var i = id; i < u.n; i += u.threads) {
    let away = p[i] - anchor[i];
    let force = (u.uniform_${weighted ? ' + u.weighted * fisher[i]' : ''}) * away;
    grads[i] += force;
    sum += 0.5 * force * away;
  }
  penalty[id] = sum;
}`;

export interface PenaltyTensors {
  grads: tf.Tensor;
  params: tf.Tensor;
  anchor: tf.Tensor;
  /** [P], of any length: one thread per value. */
  penalty: tf.Tensor;
  fisher?: tf.Tensor;
}

export function addPenalty(t: PenaltyTensors, { uniform, weighted }: { uniform: number; weighted: number }): void {
  const n = t.grads.size;
  const threads = t.penalty.size;
  const { fisher } = t;
  runInPlace(
    (backend) =>
      dispatch(backend, {
        program: { key: fisher ? 'penalty weighted' : 'penalty', wgsl: () => shader(fisher !== undefined) },
        tensors: [t.grads, t.params, t.anchor, t.penalty, ...(fisher ? [fisher] : [])],
        writes: [t.grads, t.penalty],
        uniforms: uniformBlock(u(n), u(threads), f(uniform), f(weighted)),
        workgroups: groupsFor(threads),
      }),
    () => {
      const [grads, p, p0, penalty] = [t.grads, t.params, t.anchor, t.penalty].map(cpuArray) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const weights = fisher && cpuArray(fisher);
      penalty.fill(0);
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const away = p[i]! - p0[i]!;
        const force = (uniform + (weights ? weighted * weights[i]! : 0)) * away;
        grads[i]! += force;
        sum += 0.5 * force * away;
      }
      penalty[0] = sum;
    },
  );
}
