/**
 * a [any shape] + b [the same] -> [the same]: sums of gradients and losses, off the tape. tfjs's own binary operation makes a
 * program and a bind group in every step.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

const kernel = defineKernel<Record<string, never>>({
  name: 'AddTensors',
  outputs({ a, b }) {
    if (a?.shape.join() !== b?.shape.join()) {
      throw shapeError('AddTensors', 'a and b of one shape', { a: a?.shape, b: b?.shape });
    }
    return [{ shape: a!.shape }];
  },
  cpu({ a, b }, _attrs, [sum]) {
    a!.data.forEach((value, i) => {
      sum![i] = value + b!.data[i]!;
    });
  },
  gpu({ backend, inputs: { a, b }, outputs }) {
    const size = a!.shape.reduce((product, n) => product * n, 1);
    const quads = size % 4 === 0;
    const type = quads ? 'vec4f' : 'f32';
    const count = quads ? size / 4 : size;
    dispatch(backend, {
      program: {
        key: `add_tensors quads=${quads}`,
        wgsl: `struct Uniforms { count: u32 }
@group(0) @binding(0) var<storage, read> a: array<${type}>;
@group(0) @binding(1) var<storage, read> b: array<${type}>;
@group(0) @binding(2) var<storage, read_write> sum: array<${type}>;
@group(0) @binding(3) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let at = globalIndex(wg, local, groups);
  if (at < u.count) { sum[at] = a[at] + b[at]; }
}`,
      },
      tensors: [a!, b!, outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(count)),
      workgroups: groupsFor(count),
    });
  },
});

export const addTensors = <T extends tf.Tensor>(a: T, b: T): T => kernel({ a, b }, {})[0] as T;
