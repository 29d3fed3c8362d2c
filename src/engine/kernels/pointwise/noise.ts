/**
 * Adds uniform noise to a tensor: y = x + magnitude · U(−1, 1).
 *
 *   x (any shape)   ->   the same shape; the gradient passes through unchanged
 *
 * The noise is a function of (seed, step, element): Philox with the counter (element / 4, step, 0, noise stream), one call
 * per four elements. Computing a pass again therefore gives the same noise.
 */
import * as tf from '@tensorflow/tfjs-core';
import { philox4x32, Stream } from '../../../base/random';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { current, type Live } from '../../webgpu/live';
import { defineKernel } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';
import { PHILOX } from './philox-wgsl';

export interface NoiseAttrs {
  magnitude: number;
  seed: number;
  step: Live;
}

const noiseKernel = defineKernel<NoiseAttrs>({
  name: 'UniformNoise',
  outputs: ({ x }) => [{ shape: x!.shape }],
  cpu({ x }, { magnitude, seed, step }, [y]) {
    const now = current(step);
    for (let i = 0; i < y!.length; i += 4) {
      const words = philox4x32([i / 4, now, 0, Stream.noise], [seed >>> 0, 0]);
      for (let c = 0; c < 4 && i + c < y!.length; c++) {
        y![i + c] = x!.data[i + c]! + magnitude * ((words[c]! >>> 8) / 2 ** 23 - 1);
      }
    }
  },
  gpu({ backend, inputs: { x }, outputs, attrs: { magnitude, seed, step } }) {
    const size = tf.util.sizeFromShape(x!.shape);
    dispatch(backend, {
      program: {
        key: 'uniform_noise',
        wgsl: `struct Uniforms { size: u32, seed: u32, step: u32, magnitude: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${PHILOX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  let at = id * 4u;
  if (at >= u.size) { return; }
  let words = philox(vec4u(id, u.step, 0u, ${Stream.noise}u), u.seed) >> vec4u(8u);
  let noise = u.magnitude * (vec4f(words) / 8388608.0 - 1.0);
  for (var c = 0u; c < min(4u, u.size - at); c++) { y[at + c] = x[at + c] + noise[c]; }
}`,
      },
      tensors: [x!, outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(size), u(seed), u(step), f(magnitude)),
      // The step differs in every call, so a cached uniform block would never be used again.
      volatile: true,
      workgroups: groupsFor(Math.ceil(size / 4)),
    });
  },
  savesOutputs: [false],
  gradient: ([dy]) => ({ x: () => dy!.clone() }),
});

/** x + magnitude · U(−1, 1). */
export const addNoise = (x: tf.Tensor, attrs: NoiseAttrs): tf.Tensor => noiseKernel({ x }, attrs)[0]!;
