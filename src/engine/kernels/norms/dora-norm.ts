/**
 * The norm of each row of W + s·B·A without forming the sum (DoRA, Liu et al., 2024, equation 5):
 *
 *   squares [out] = Σ W²   b [out, r]   wa [r, out] = A·Wᵀ   aa [r, r] = A·Aᵀ   ->   [out]
 *
 *   ‖W + s·B·A‖² = squares + 2s·Σ_k b_k·wa_k + s²·Σ_kl b_k·aa_kl·b_l      row by row
 *
 * W enters only through products, which read it in any format. There is no gradient: DoRA treats the norm as a constant
 * (section 4.3), and callers keep it off the tape.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

/** Keeps a row of zeros from dividing by zero; harmless, because what it would scale is zero too. */
const SMALLEST = 1e-30;

const doraNormKernel = defineKernel<{ scale: number }>({
  name: 'DoraNorm',
  outputs({ squares, b, wa, aa }) {
    const [out, r] = b?.shape ?? [];
    if (
      b?.shape.length !== 2 ||
      squares?.shape.join() !== `${out}` ||
      wa?.shape.join() !== `${r},${out}` ||
      aa?.shape.join() !== `${r},${r}`
    ) {
      throw shapeError('DoraNorm', 'squares [out], b [out, r], wa [r, out], aa [r, r]', {
        squares: squares?.shape,
        b: b?.shape,
        wa: wa?.shape,
        aa: aa?.shape,
      });
    }
    return [{ shape: [out!] }];
  },
  cpu({ squares, b, wa, aa }, { scale }, [y]) {
    const [out, r] = b!.shape as [number, number];
    for (let i = 0; i < out; i++) {
      let sum = squares!.data[i]!;
      for (let k = 0; k < r; k++) {
        const left = scale * b!.data[i * r + k]!;
        let inner = 2 * wa!.data[k * out + i]!;
        for (let l = 0; l < r; l++) inner += scale * aa!.data[k * r + l]! * b!.data[i * r + l]!;
        sum += left * inner;
      }
      y![i] = Math.max(Math.sqrt(Math.max(sum, 0)), SMALLEST);
    }
  },
  gpu({ backend, inputs: { squares, b, wa, aa }, outputs, attrs }) {
    const [out, r] = b!.shape as [number, number];
    dispatch(backend, {
      program: {
        key: 'dora_norm',
        wgsl: `struct Uniforms { rows: u32, rank: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> squares: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> wa: array<f32>;
@group(0) @binding(3) var<storage, read> aa: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let i = globalIndex(wg, local, groups);
  if (i >= u.rows) { return; }
  var sum = squares[i];
  for (var k = 0u; k < u.rank; k++) {
    var inner = 2.0 * wa[k * u.rows + i];
    for (var l = 0u; l < u.rank; l++) { inner += u.scale * aa[k * u.rank + l] * b[i * u.rank + l]; }
    sum += u.scale * b[i * u.rank + k] * inner;
  }
  y[i] = max(sqrt(max(sum, 0.0)), ${SMALLEST});
}`,
      },
      tensors: [squares!, b!, wa!, aa!, outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(out), u(r), f(attrs.scale)),
      workgroups: groupsFor(out),
    });
  },
});

/** Norms of the rows of W + scale·b·a, from the parts described above. */
export function doraNorm(
  parts: { squares: tf.Tensor; b: tf.Tensor; wa: tf.Tensor; aa: tf.Tensor },
  scale: number,
): tf.Tensor {
  return doraNormKernel(parts, { scale })[0]!;
}
