/**
 * Puts rows before every text of a batch, and takes rows out of every text: how virtual tokens are added and removed.
 *
 *   prepend     front [P, w], x [B·T, w]   ->   [B·(P+T), w]   the same P rows before each text's T
 *   rowsWithin  x [B·N, w]                 ->   [B·count, w]   rows from, …, from + count − 1 of each text's N
 *
 * Each gradient copies the other way; that of `front` sums over the texts, in order.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, type GpuCall, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

interface BatchAttrs {
  batch: number;
}

interface WithinAttrs extends BatchAttrs {
  from: number;
  count: number;
}

/**
 * One thread per value of the output (per four values if the width allows). `body` computes it from `text`, `row` within
 * the text and `column`, with `outRows` rows per text and two numbers, `a` and `b`, for its own use.
 */
function record(
  { backend, inputs, outputs }: Pick<GpuCall<BatchAttrs>, 'backend' | 'inputs' | 'outputs'>,
  name: string,
  names: string[],
  sizes: { outRows: number; a: number; b: number; texts: number },
  body: string,
): void {
  const [out] = outputs as [tf.TensorInfo];
  const [rows, width] = out.shape as [number, number];
  const quads = width % 4 === 0;
  const type = quads ? 'vec4f' : 'f32';
  const columns = quads ? width / 4 : width;
  dispatch(backend, {
    program: {
      key: `${name} quads=${quads}`,
      wgsl: `struct Uniforms { count: u32, columns: u32, outRows: u32, a: u32, b: u32, texts: u32 }
${names.map((n, i) => `@group(0) @binding(${i}) var<storage, read> ${n}: array<${type}>;`).join('\n')}
@group(0) @binding(${names.length}) var<storage, read_write> y: array<${type}>;
@group(0) @binding(${names.length + 1}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let at = globalIndex(wg, local, groups);
  if (at >= u.count) { return; }
  let column = at % u.columns;
  let text = at / u.columns / u.outRows;
  let row = at / u.columns % u.outRows;
  ${body.replaceAll('ZERO', quads ? 'vec4f(0.0)' : '0.0')}
}`,
    },
    tensors: [...names.map((n) => inputs[n]!), out],
    writes: [out],
    uniforms: uniformBlock(...[rows * columns, columns, sizes.outRows, sizes.a, sizes.b, sizes.texts].map(u)),
    workgroups: groupsFor(rows * columns),
  });
}

const prependKernel = defineKernel<BatchAttrs>({
  name: 'Prepend',
  outputs({ front, x }, { batch }) {
    const width = x?.shape[1];
    if (x?.shape.length !== 2 || front?.shape.length !== 2 || front.shape[1] !== width || x.shape[0]! % batch !== 0) {
      throw shapeError('Prepend', `front [P, w], x [${batch}·T, w]`, { front: front?.shape, x: x?.shape });
    }
    return [{ shape: [batch * front.shape[0]! + x.shape[0]!, width!] }];
  },
  cpu({ front, x }, { batch }, [y]) {
    const before = front!.data.length;
    const own = x!.data.length / batch;
    for (let b = 0; b < batch; b++) {
      y!.set(front!.data, b * (before + own));
      y!.set(x!.data.subarray(b * own, (b + 1) * own), b * (before + own) + before);
    }
  },
  gpu(call) {
    const { front, x } = call.inputs;
    const before = front!.shape[0]!;
    const own = x!.shape[0]! / call.attrs.batch;
    record(
      call,
      'prepend',
      ['front', 'x'],
      { outRows: before + own, a: before, b: own, texts: call.attrs.batch },
      `if (row < u.a) { y[at] = front[row * u.columns + column]; }
  else { y[at] = x[(text * u.b + row - u.a) * u.columns + column]; }`,
    );
  },
  savesOutputs: [false],
  gradient([dy], { inputs: { front, x } }, { batch }) {
    const before = front!.shape[0]!;
    return {
      front: () => sumTexts({ x: dy! }, { batch, from: 0, count: before })[0]!,
      x: () => rowsWithin(dy!, { batch, from: before, count: x!.shape[0]! / batch }),
    };
  },
});

/** Sums the rows over all texts: x [B·N, w] -> [count, w]. */
const sumTexts = defineKernel<WithinAttrs>({
  name: 'SumTexts',
  outputs: ({ x }, { count }) => [{ shape: [count, x!.shape[1]!] }],
  cpu({ x }, { batch, from }, [y]) {
    const width = x!.shape[1]!;
    const own = x!.data.length / batch;
    for (let b = 0; b < batch; b++) {
      for (let i = 0; i < y!.length; i++) y![i]! += x!.data[b * own + from * width + i]!;
    }
  },
  gpu(call) {
    const { batch, from, count } = call.attrs;
    record(
      call,
      'sum_texts',
      ['x'],
      { outRows: count, a: from, b: call.inputs.x!.shape[0]! / batch, texts: batch },
      `var sum = ZERO;
  for (var t = 0u; t < u.texts; t++) { sum += x[(t * u.b + u.a + row) * u.columns + column]; }
  y[at] = sum;`,
    );
  },
});

const withinKernel = defineKernel<WithinAttrs>({
  name: 'RowsWithin',
  outputs({ x }, { batch, from, count }) {
    const rows = (x?.shape[0] ?? 0) / batch;
    if (x?.shape.length !== 2 || !Number.isInteger(rows) || from + count > rows) {
      throw shapeError('RowsWithin', `x [${batch}·N, w] with N at least ${from + count}`, { x: x?.shape });
    }
    return [{ shape: [batch * count, x.shape[1]!] }];
  },
  cpu({ x }, { batch, from, count }, [y]) {
    const width = x!.shape[1]!;
    const own = x!.data.length / batch;
    for (let b = 0; b < batch; b++) {
      const start = b * own + from * width;
      y!.set(x!.data.subarray(start, start + count * width), b * count * width);
    }
  },
  gpu(call) {
    const { batch, from, count } = call.attrs;
    record(
      call,
      'rows_within',
      ['x'],
      { outRows: count, a: from, b: call.inputs.x!.shape[0]! / batch, texts: batch },
      'y[at] = x[(text * u.b + u.a + row) * u.columns + column];',
    );
  },
  savesOutputs: [false],
  gradient([dy], { inputs: { x } }, attrs) {
    return { x: () => backInPlace({ dy: dy! }, { ...attrs, rows: x!.shape[0]! / attrs.batch })[0]! };
  },
});

const backInPlace = defineKernel<WithinAttrs & { rows: number }>({
  name: 'RowsWithinBackward',
  outputs: ({ dy }, { batch, rows }) => [{ shape: [batch * rows, dy!.shape[1]!] }],
  cpu({ dy }, { batch, from, count, rows }, [dx]) {
    const width = dy!.shape[1]!;
    for (let b = 0; b < batch; b++) {
      dx!.set(dy!.data.subarray(b * count * width, (b + 1) * count * width), (b * rows + from) * width);
    }
  },
  gpu(call) {
    const { batch, from, count, rows } = call.attrs;
    record(
      call,
      'rows_within_backward',
      ['dy'],
      { outRows: rows, a: from, b: count, texts: batch },
      `y[at] = ZERO;
  if (row >= u.a && row < u.a + u.b) { y[at] = dy[(text * u.b + row - u.a) * u.columns + column]; }`,
    );
  },
});

/** front [P, w] before each of the `batch` texts of x [B·T, w] -> [B·(P+T), w]. */
export const prepend = (front: tf.Tensor, x: tf.Tensor, batch: number): tf.Tensor =>
  prependKernel({ front, x }, { batch })[0]!;

/** Rows [from, from + count) of each text of x [B·N, w] -> [B·count, w]. */
export const rowsWithin = (x: tf.Tensor, attrs: WithinAttrs): tf.Tensor => withinKernel({ x }, attrs)[0]!;
