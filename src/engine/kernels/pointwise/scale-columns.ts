/**
 * A factor for each column, then an optional bias and residual: DoRA's magnitudes over norms, and (IA)³'s vectors.
 *
 *   x [M, N]   factor [N]   bias [N]   residual [M, N]   ->   y [M, N] = x · factor (+ bias) (+ residual)
 *
 *   dx = dy · factor   dfactor = Σ_M dy · x   dbias = Σ_M dy   dresidual = dy
 */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, type Inputs, shapeError } from '../kernel';
import { sumColumns } from '../norms/rows';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

const scaleKernel: (inputs: Partial<Inputs>, attrs: object) => tf.Tensor[] = defineKernel<object>({
  name: 'ScaleColumns',
  outputs({ x, factor, bias, residual }) {
    const n = x?.shape[1];
    const fits =
      x?.shape.length === 2 &&
      factor?.shape.join() === `${n}` &&
      (!bias || bias.shape.join() === `${n}`) &&
      (!residual || residual.shape.join() === x.shape.join());
    if (!fits) {
      throw shapeError('ScaleColumns', 'x [M, N], factor [N], bias [N], residual [M, N]', {
        x: x?.shape,
        factor: factor?.shape,
        bias: bias?.shape,
        residual: residual?.shape,
      });
    }
    return [{ shape: x.shape }];
  },
  cpu({ x, factor, bias, residual }, _attrs, [y]) {
    const n = x!.shape[1]!;
    for (let i = 0; i < y!.length; i++) {
      y![i] = x!.data[i]! * factor!.data[i % n]! + (bias?.data[i % n] ?? 0) + (residual?.data[i] ?? 0);
    }
  },
  gpu({ backend, inputs: { x, factor, bias, residual }, outputs }) {
    const [m, n] = x!.shape as [number, number];
    const quads = n % 4 === 0;
    const type = quads ? 'vec4f' : 'f32';
    const columns = quads ? n / 4 : n;
    const extra = [...(bias ? [bias] : []), ...(residual ? [residual] : [])];
    dispatch(backend, {
      program: {
        key: `scale_columns quads=${quads} bias=${bias !== undefined} residual=${residual !== undefined}`,
        wgsl: `struct Uniforms { count: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read> factor: array<${type}>;
${[...(bias ? ['bias'] : []), ...(residual ? ['residual'] : [])].map((name, i) => `@group(0) @binding(${i + 2}) var<storage, read> ${name}: array<${type}>;`).join('\n')}
@group(0) @binding(${extra.length + 2}) var<storage, read_write> y: array<${type}>;
@group(0) @binding(${extra.length + 3}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let at = globalIndex(wg, local, groups);
  if (at >= u.count) { return; }
  let column = at % u.columns;
  y[at] = x[at] * factor[column]${bias ? ' + bias[column]' : ''}${residual ? ' + residual[at]' : ''};
}`,
      },
      tensors: [x!, factor!, ...extra, outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(m * columns), u(columns)),
      workgroups: groupsFor(m * columns),
    });
  },
  savesOutputs: [false],
  gradient([dy], { inputs: { x, factor } }) {
    return {
      x: () => scaleKernel({ x: dy!, factor }, {})[0]!,
      factor: () => factorGradient({ dy: dy!, x }, {})[0]!,
      bias: () => tf.sum(dy!, 0),
      residual: () => dy!.clone(),
    };
  },
});

const factorGradient = defineKernel<Record<string, never>>({
  name: 'ScaleColumnsBackwardFactor',
  outputs: ({ x }) => [{ shape: [x!.shape[1]!] }],
  cpu({ dy, x }, _attrs, [df]) {
    const [rows, n] = x!.shape as [number, number];
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += dy!.data[i * n + j]! * x!.data[i * n + j]!;
      df![j] = sum;
    }
  },
  gpu({ backend, inputs: { dy, x }, outputs, temp }) {
    const [rows, n] = x!.shape as [number, number];
    sumColumns(backend, outputs[0]!, rows, temp, ({ chunk, chunks, sums }) =>
      dispatch(backend, {
        program: {
          key: 'scale_columns_dfactor',
          wgsl: `struct Uniforms { rows: u32, width: u32, chunk: u32, chunks: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> df: array<f32>;
@group(0) @binding(3) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.chunks * u.width) { return; }
  let column = id % u.width;
  let first = id / u.width * u.chunk;
  var sum = 0.0;
  for (var i = first; i < min(first + u.chunk, u.rows); i++) { sum += dy[i * u.width + column] * x[i * u.width + column]; }
  df[id] = sum;
}`,
        },
        tensors: [dy!, x!, sums],
        writes: [sums],
        uniforms: uniformBlock(u(rows), u(n), u(chunk), u(chunks)),
        workgroups: groupsFor(chunks * n),
      }),
    );
  },
});

/** y = x · factor (+ bias) (+ residual), column by column. */
export function scaleColumns(
  x: tf.Tensor,
  factor: tf.Tensor,
  { bias, residual }: { bias?: tf.Tensor | null; residual?: tf.Tensor | null } = {},
): tf.Tensor {
  return scaleKernel({ x, factor, bias: bias ?? undefined, residual: residual ?? undefined }, {})[0]!;
}
