/**
 * Adafactor (Shazeer & Stern, 2018), in place over many tensors of the flat buffers, as in transformers' Adafactor without
 * first moment, parameter scaling or relative step:
 *
 *   row_i ← β·row_i + (1−β)·mean_j(g_ij² + ε);  col_j ← β·col_j + (1−β)·mean_i(g_ij² + ε)
 *   u_ij = g_ij / √(row_i / mean(row) · col_j);  p ← p·(1 − lr·wd) − lr · u / max(1, RMS(u))
 *
 * A tensor [..., rows, cols] has a `row` and a `col` for each slice; the RMS is over the whole tensor. A vector is a matrix
 * with one row: row/mean(row) is then exactly 1, which leaves transformers' rule for vectors. Five dispatches for any
 * number of tensors. g is the gradient times the clipping factor in `stats`; when that says "not finite", nothing changes.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../../webgpu/backend';
import { dispatch, f, type Program, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { COLS, COLUMNS, FOLD, PARTIAL, ROWS, UPDATE } from './adafactor-wgsl';

/** A tensor [batch, rows, cols] at `offset` in the flat buffers, and where its state starts in the state buffers. */
export interface Matrix {
  offset: number;
  rowStart: number;
  colStart: number;
  /** Workgroups of the column pass before those of this tensor. */
  blockStart: number;
  /** Slices before those of this tensor. */
  slice: number;
  batch: number;
  rows: number;
  cols: number;
}

export interface Factors {
  matrices: Matrix[];
  rows: number;
  cols: number;
  blocks: number;
  slices: number;
}

const blocksOf = ({ batch, cols }: Matrix) => batch * Math.ceil(cols / COLUMNS);

/** Lays out the state of tensors whose offsets ascend. */
export function factorise(tensors: { offset: number; shape: number[] }[]): Factors {
  const factors: Factors = { matrices: [], rows: 0, cols: 0, blocks: 0, slices: 0 };
  for (const { offset, shape } of tensors) {
    const product = (dims: number[]) => dims.reduce((a, b) => a * b, 1);
    const matrix: Matrix = {
      offset,
      rowStart: factors.rows,
      colStart: factors.cols,
      blockStart: factors.blocks,
      slice: factors.slices,
      batch: product(shape.slice(0, -2)),
      rows: shape.at(-2) ?? 1,
      cols: shape.at(-1) ?? 1,
    };
    factors.matrices.push(matrix);
    factors.rows += matrix.batch * matrix.rows;
    factors.cols += matrix.batch * matrix.cols;
    factors.blocks += blocksOf(matrix);
    factors.slices += matrix.batch;
  }
  return factors;
}

/** The table as the shaders read it: eight words per tensor. */
export const tableOf = ({ matrices }: Factors): Int32Array =>
  Int32Array.from(
    matrices.flatMap((m) => [m.offset, m.rowStart, m.colStart, m.blockStart, m.slice, m.batch, m.rows, m.cols]),
  );

export interface AdafactorState {
  params: tf.Tensor;
  grads: tf.Tensor;
  stats: tf.Tensor;
  /** int32, from tableOf. */
  table: tf.Tensor;
  row: tf.Tensor;
  col: tf.Tensor;
  /** Scratch: [rows], and [slices + tensors]. */
  partial: tf.Tensor;
  folds: tf.Tensor;
}

export interface AdafactorHyper {
  learningRate: number;
  weightDecay: number;
  /** β of this step: 1 − t^−0.8. */
  beta: number;
  epsilon: number;
}

interface Call {
  t: AdafactorState;
  factors: Factors;
  range: { offset: number; length: number; first: number; end: number };
  h: AdafactorHyper;
}

const threads = (groups: number) => groupsFor(groups * 64);

function record(backend: GpuBackend, { t, factors, range, h }: Call): void {
  const first = factors.matrices[range.first]!;
  const last = factors.matrices[range.end - 1]!;
  const rows = [first.rowStart, last.rowStart + last.batch * last.rows] as const;
  const blocks = [first.blockStart, last.blockStart + blocksOf(last)] as const;
  const values = [range.offset, range.offset + range.length] as const;
  const pass = (
    program: Program,
    [from, to]: readonly [number, number],
    tensors: tf.Tensor[],
    writes: tf.Tensor,
    workgroups: [number, number],
  ) =>
    dispatch(backend, {
      program,
      tensors,
      writes: [writes],
      uniforms: uniformBlock(
        u(range.first),
        u(range.end),
        u(from),
        u(to),
        f(h.beta),
        f(1 - h.beta),
        f(h.epsilon),
        u(factors.slices),
        f(1 - h.learningRate * h.weightDecay),
        f(h.learningRate),
      ),
      volatile: true,
      workgroups,
    });
  const { params, grads, stats, table, row, col, partial, folds } = t;
  const byRow = threads(rows[1] - rows[0]);
  pass({ key: 'adafactor rows', wgsl: ROWS }, rows, [grads, table, stats, row], row, byRow);
  const byBlock = threads(blocks[1] - blocks[0]);
  pass({ key: 'adafactor columns', wgsl: COLS }, blocks, [grads, table, stats, col], col, byBlock);
  pass({ key: 'adafactor partial', wgsl: PARTIAL }, rows, [grads, table, stats, col, partial], partial, byRow);
  const byTensor = threads(range.end - range.first);
  const tensors = [range.first, range.end] as const;
  pass({ key: 'adafactor fold', wgsl: FOLD }, tensors, [table, stats, row, partial, folds], folds, byTensor);
  const all = [params, grads, table, stats, row, col, folds];
  pass({ key: 'adafactor update', wgsl: UPDATE }, values, all, params, groupsFor(range.length));
}

function reference({ t, factors, range, h }: Call): void {
  const [p, grads, row, col] = [t.params, t.grads, t.row, t.col].map(cpuArray) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const [, factor, finite] = cpuArray(t.stats) as unknown as [number, number, number];
  if (finite === 0) return;
  for (const m of factors.matrices.slice(range.first, range.end)) {
    const { batch, rows, cols } = m;
    const update = new Float64Array(batch * rows * cols);
    for (let b = 0; b < batch; b++) {
      const g = (i: number, j: number) => grads[m.offset + (b * rows + i) * cols + j]! * factor;
      const rowAt = m.rowStart + b * rows;
      const colAt = m.colStart + b * cols;
      let rowSum = 0;
      for (let i = 0; i < rows; i++) {
        let sum = 0;
        for (let j = 0; j < cols; j++) sum += g(i, j) ** 2;
        row[rowAt + i] = h.beta * row[rowAt + i]! + (1 - h.beta) * (sum / cols + h.epsilon);
        rowSum += row[rowAt + i]!;
      }
      for (let j = 0; j < cols; j++) {
        let sum = 0;
        for (let i = 0; i < rows; i++) sum += g(i, j) ** 2;
        col[colAt + j] = h.beta * col[colAt + j]! + (1 - h.beta) * (sum / rows + h.epsilon);
      }
      for (let i = 0; i < rows; i++) {
        const byRow = Math.sqrt(rowSum / rows / row[rowAt + i]!);
        for (let j = 0; j < cols; j++) {
          update[(b * rows + i) * cols + j] = (byRow * g(i, j)) / Math.sqrt(col[colAt + j]!);
        }
      }
    }
    const rms = Math.sqrt(update.reduce((sum, x) => sum + x * x, 0) / update.length);
    const rate = h.learningRate / Math.max(1, rms);
    const decay = 1 - h.learningRate * h.weightDecay;
    for (let i = 0; i < update.length; i++) p[m.offset + i] = p[m.offset + i]! * decay - rate * update[i]!;
  }
}

/** Updates the tensors [first, end) of the table, which hold values [offset, offset + length) of the flat tensors. */
export function adafactorStep(
  t: AdafactorState,
  factors: Factors,
  range: { offset: number; length: number; first: number; end: number },
  h: AdafactorHyper,
): void {
  const call = { t, factors, range, h };
  runInPlace(
    (backend) => record(backend, call),
    () => reference(call),
  );
}
