/**
 * Σ_j W[i,j]² for each row of a weight in any format: the norms of DoRA's frozen part, computed once.
 *
 *   weight [out, in] (logical)   ->   [out]
 *
 * Values are decoded as they are read, so no unpacked copy exists.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Weight } from '../../types';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, shapeError } from '../kernel';
import { ENTRY } from '../products/matmul-wgsl';
import {
  type WeightAttrs,
  weightAttrs,
  weightFits,
  weightInputs,
  weightOperand,
  widenWeight,
} from '../products/weight';
import { elementType, matrixLoader } from '../products/weight-wgsl';
import { lanesOf, rowShader } from './rows';

const rowSquaresKernel = defineKernel<WeightAttrs>({
  name: 'RowSquares',
  outputs(inputs, attrs) {
    if (!weightFits(inputs, attrs)) {
      throw shapeError('RowSquares', `weight [${attrs.out}, ${attrs.in}] as ${attrs.format}`, {
        weight: inputs.weight?.shape,
      });
    }
    return [{ shape: [attrs.out] }];
  },
  cpu(inputs, attrs, [y]) {
    const values = widenWeight(inputs, attrs);
    for (let i = 0; i < attrs.out; i++) {
      let sum = 0;
      for (let j = 0; j < attrs.in; j++) sum += values[i * attrs.in + j]! ** 2;
      y![i] = sum;
    }
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const { format, in: width } = attrs;
    const lanes = lanesOf(backend);
    const quads = width % 4 === 0;
    const columns = quads ? width / 4 : width;
    const r = rowShader(lanes, quads);
    let first = 0;
    for (const { tensor, rows } of weightOperand(inputs, attrs).parts) {
      dispatch(backend, {
        program: {
          key: `row_squares ${format} lanes=${lanes} quads=${quads}`,
          wgsl: () => `struct Uniforms { rows: u32, width: u32, first: u32 }
@group(0) @binding(0) var<storage, read> W: array<${elementType(format, quads)}>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;
${matrixLoader('load', 'W', format, quads, `(u.rows * u.width${quads ? ' * 4u' : ''})`)}
${r.declare}
${ENTRY} {
  ${r.begin}
  var sum = ${r.zero};
  ${r.each} { let v = load(base + i); sum += v * v; }
  var part = ${r.total('sum')};
  ${r.fold()}
  if (lane == 0u) { y[u.first + row] = part; }
}`,
        },
        tensors: [tensor, outputs[0]!],
        writes: outputs,
        uniforms: uniformBlock(u(rows), u(columns), u(first)),
        workgroups: r.workgroups(rows),
      });
      first += rows;
    }
  },
});

/** [out, in] -> [out]; no gradient, because the weight is frozen. */
export function rowSquares(weight: Weight): tf.Tensor {
  return rowSquaresKernel(weightInputs(weight), weightAttrs(weight))[0]!;
}
