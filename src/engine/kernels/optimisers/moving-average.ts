/**
 * Moving average of the parameters: average ← d·average + (1−d)·p, over the flat buffers [N]. Computed as
 * average + (1−d)·(p − average), so a parameter that does not move keeps its average to the last bit. When `stats`
 * (grad-norm.ts) says "not finite", there was no update, and nothing changes here either.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

const WGSL = `struct Uniforms { length: u32, rest: f32 }
@group(0) @binding(0) var<storage, read_write> average: array<f32>;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let i = globalIndex(wg, local, groups);
  if (i >= u.length || stats[2] == 0.0) { return; }
  average[i] += u.rest * (p[i] - average[i]);
}`;

export function movingAverage(t: { average: tf.Tensor; params: tf.Tensor; stats: tf.Tensor }, decay: number): void {
  const { size } = t.average;
  runInPlace(
    (backend) =>
      dispatch(backend, {
        program: { key: 'moving average', wgsl: WGSL },
        tensors: [t.average, t.params, t.stats],
        writes: [t.average],
        uniforms: uniformBlock(u(size), f(1 - decay)),
        workgroups: groupsFor(size),
      }),
    () => {
      const [average, p] = [cpuArray(t.average), cpuArray(t.params)];
      if (cpuArray(t.stats)[2] === 0) return;
      for (let i = 0; i < size; i++) average[i]! += (1 - decay) * (p[i]! - average[i]!);
    },
  );
}
