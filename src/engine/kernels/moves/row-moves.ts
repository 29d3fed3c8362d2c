/**
 * Dispatches shared by the losses, which move, clear and sum rows of a matrix; and a kernel that takes rows by number.
 *
 *   x [M, d]   rows int32 [R]   ->   [R, d], zeros where a row is -1
 */
import type * as tf from '@tensorflow/tfjs-core';
import { copyEncoder, type GpuBackend, markUsed, markWritten, rangeOf } from '../../webgpu/backend';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import type { Live } from '../../webgpu/live';
import { defineKernel, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

/** Fills a tensor, or some of its words, with zeros. */
export function clear(backend: GpuBackend, tensor: tf.TensorInfo, first = 0, count?: number): void {
  const { buffer, offset, size } = rangeOf(backend, tensor);
  copyEncoder(backend).clearBuffer(buffer, offset + 4 * first, count === undefined ? size - 4 * first : 4 * count);
  markWritten(backend, tensor);
}

/** Copies one tensor over another of the same size, without a dispatch. */
export function copyAll(backend: GpuBackend, from: tf.TensorInfo, to: tf.TensorInfo): void {
  const [source, target] = [rangeOf(backend, from), rangeOf(backend, to)];
  copyEncoder(backend).copyBufferToBuffer(source.buffer, source.offset, target.buffer, target.offset, target.size);
  markUsed(backend, from);
  markWritten(backend, to);
}

/**
 * gather: to[i] = from[rows[start + i]], zeros where that is -1. scatter: to[rows[start + i]] = from[i]; no row may appear
 * twice. `n` rows of `width` values; `tokens` is the number of rows in the larger matrix. With `parts`, a scatter adds up so
 * many matrices of `n` rows, one after the other in `from`, in their order.
 */
export function moveRows(
  backend: GpuBackend,
  direction: 'gather' | 'scatter',
  c: {
    from: tf.TensorInfo;
    to: tf.TensorInfo;
    rows: tf.TensorInfo;
    start: number;
    n: number;
    width: number;
    tokens: number;
    parts?: number;
  },
): void {
  const { parts = 1 } = c;
  const value =
    parts > 1
      ? 'var value = src[id]; for (var part = 1u; part < u.parts; part++) { value += src[part * u.n * u.width + id]; }'
      : 'let value = src[id];';
  const body =
    direction === 'gather'
      ? 'var value = 0.0; if (row >= 0 && u32(row) < u.tokens) { value = src[u32(row) * u.width + column]; } dst[id] = value;'
      : `if (row >= 0 && u32(row) < u.tokens) { ${value} dst[u32(row) * u.width + column] = value; }`;
  dispatch(backend, {
    program: {
      key: `${direction}_rows${parts > 1 ? ' parts' : ''}`,
      wgsl: `struct Uniforms { start: u32, n: u32, width: u32, tokens: u32, parts: u32 }
@group(0) @binding(0) var<storage, read> src: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<i32>;
@group(0) @binding(2) var<storage, read_write> dst: array<f32>;
@group(0) @binding(3) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.n * u.width) { return; }
  let row = rows[u.start + id / u.width];
  let column = id % u.width;
  ${body}
}`,
    },
    tensors: [c.from, c.rows, c.to],
    writes: [c.to],
    uniforms: uniformBlock(u(c.start), u(c.n), u(c.width), u(c.tokens), u(parts)),
    workgroups: groupsFor(c.n * c.width),
  });
}

/** out = scale · Σ values, in order, by one thread: a few hundred additions, and the same sum every time. */
export function sumAll(backend: GpuBackend, values: tf.TensorInfo, out: tf.TensorInfo, n: number, scale: Live): void {
  dispatch(backend, {
    program: {
      key: 'sum_all',
      wgsl: `struct Uniforms { n: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;
@compute @workgroup_size(1) fn main() {
  var sum = 0.0;
  for (var i = 0u; i < u.n; i++) { sum += values[i]; }
  out[0] = sum * u.scale;
}`,
    },
    tensors: [values, out],
    writes: [out],
    uniforms: uniformBlock(u(n), f(scale)),
    volatile: true,
    workgroups: [1],
  });
}

const take = defineKernel<Record<string, never>>({
  name: 'TakeRows',
  outputs({ x, rows }) {
    if (x?.shape.length !== 2 || rows?.shape.length !== 1) {
      throw shapeError('TakeRows', 'x [M, d], rows [R]', { x: x?.shape, rows: rows?.shape });
    }
    return [{ shape: [rows.shape[0]!, x.shape[1]!] }];
  },
  cpu({ x, rows }, _attrs, [y]) {
    const width = x!.shape[1]!;
    rows!.data.forEach((row, i) => {
      if (row >= 0 && row < x!.shape[0]!) y!.set(x!.data.subarray(row * width, (row + 1) * width), i * width);
    });
  },
  gpu({ backend, inputs: { x, rows }, outputs }) {
    const [tokens, width] = x!.shape as [number, number];
    const n = rows!.shape[0]!;
    moveRows(backend, 'gather', { from: x!, to: outputs[0]!, rows: rows!, start: 0, n, width, tokens });
  },
  savesOutputs: [false],
  gradient: ([dy], { inputs: { x, rows } }) => ({
    x: () => putBack({ dy: dy!, rows }, { tokens: x!.shape[0]! })[0]!,
  }),
});

const putBack = defineKernel<{ tokens: number }>({
  name: 'TakeRowsBackward',
  outputs: ({ dy }, { tokens }) => [{ shape: [tokens, dy!.shape[1]!] }],
  cpu({ dy, rows }, { tokens }, [dx]) {
    const width = dy!.shape[1]!;
    rows!.data.forEach((row, i) => {
      if (row >= 0 && row < tokens) dx!.set(dy!.data.subarray(i * width, (i + 1) * width), row * width);
    });
  },
  gpu({ backend, inputs: { dy, rows }, outputs, attrs: { tokens } }) {
    const [n, width] = dy!.shape as [number, number];
    clear(backend, outputs[0]!);
    moveRows(backend, 'scatter', { from: dy!, to: outputs[0]!, rows: rows!, start: 0, n, width, tokens });
  },
});

/** Rows of x [M, d] by number, zeros for -1 -> [R, d]. No row may appear twice, or one of its gradients would be lost. */
export const takeRows = (x: tf.Tensor, rows: tf.Tensor): tf.Tensor => take({ x, rows }, {})[0]!;
