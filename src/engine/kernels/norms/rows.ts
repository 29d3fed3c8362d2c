/**
 * Shared by the kernels that walk a matrix row by row (norms): how threads share a row, and the sums over all rows for a
 * weight's gradient.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { adapterTraits } from '../../webgpu/adapter';
import type { GpuBackend } from '../../webgpu/backend';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

/** Threads that share a row. */
export type Lanes = 1 | 64;

/** One on software adapters, where lanes are CPU threads and barriers are expensive; otherwise a workgroup. */
export function lanesOf(backend: GpuBackend): Lanes {
  return adapterTraits(backend.device).software ? 1 : 64;
}

/** Parts of a shader in which 1 or 64 threads read each row and sum over it in a fixed order. */
export function rowShader(lanes: Lanes, quads: boolean) {
  const shared = lanes > 1;
  return {
    element: quads ? 'vec4f' : 'f32',
    zero: quads ? 'vec4f(0.0)' : '0.0',
    total: (sum: string) => (quads ? `dot(${sum}, vec4f(1.0))` : sum),
    declare: `${shared ? `var<workgroup> sums: array<f32, ${lanes}>;` : ''}
${GLOBAL_INDEX}`,
    // The branch that returns is uniform: with 64 lanes, the row depends on the workgroup alone.
    begin: `let row = ${shared ? 'wg.y * groups.x + wg.x' : 'globalIndex(wg, local, groups)'};
  if (row >= u.rows) { return; }
  let lane = ${shared ? 'local' : '0u'};
  let base = row * u.width;`,
    each: `for (var i = lane; i < u.width; i += ${lanes}u)`,
    /** Adds up the lanes' `part` and leaves the row's sum in all of them. */
    fold: (part = 'part') =>
      shared
        ? `sums[lane] = ${part};
  workgroupBarrier();
  for (var s = ${lanes / 2}u; s > 0u; s = s >> 1u) {
    if (lane < s) { sums[lane] += sums[lane + s]; }
    workgroupBarrier();
  }
  ${part} = sums[0];
  workgroupBarrier();`
        : '',
    workgroups: (rows: number) => groupsFor(rows * lanes),
  };
}

/** Rows that one thread sums; more rows need a second pass over the partial sums. */
const ROWS_PER_SUM = 64;

/**
 * out [d] = sums over `rows` rows, in chunks: `record` writes the sums of each chunk of rows into `sums` [chunks, d], which
 * is `out` itself when one chunk is enough.
 */
export function sumColumns(
  backend: GpuBackend,
  out: tf.TensorInfo,
  rows: number,
  temp: (shape: number[]) => tf.TensorInfo,
  record: (part: { chunk: number; chunks: number; sums: tf.TensorInfo }) => void,
): void {
  const d = out.shape[0]!;
  const chunk = adapterTraits(backend.device).software ? Math.max(1, rows) : ROWS_PER_SUM;
  const chunks = Math.max(1, Math.ceil(rows / chunk));
  const sums = chunks > 1 ? temp([chunks, d]) : out;
  record({ chunk, chunks, sums });
  if (sums === out) return;
  dispatch(backend, {
    program: {
      key: 'column_sums',
      wgsl: `struct Uniforms { rows: u32, width: u32 }
@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let column = globalIndex(wg, local, groups);
  if (column >= u.width) { return; }
  var sum = 0.0;
  for (var i = 0u; i < u.rows; i++) { sum += values[i * u.width + column]; }
  sums[column] = sum;
}`,
    },
    tensors: [sums, out],
    writes: [out],
    uniforms: uniformBlock(u(chunks), u(d)),
    workgroups: groupsFor(d),
  });
}
