/** Multiplies a flat tensor [N] by a number, in place. */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

const WGSL = `struct Uniforms { length: u32, factor: f32 }
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let i = globalIndex(wg, local, groups);
  if (i < u.length) { x[i] *= u.factor; }
}`;

export function scaleInPlace(x: tf.Tensor, factor: number): void {
  runInPlace(
    (backend) =>
      dispatch(backend, {
        program: { key: 'scale in place', wgsl: WGSL },
        tensors: [x],
        writes: [x],
        uniforms: uniformBlock(u(x.size), f(factor)),
        workgroups: groupsFor(x.size),
      }),
    () => {
      const values = cpuArray(x);
      for (let i = 0; i < values.length; i++) values[i]! *= factor;
    },
  );
}
