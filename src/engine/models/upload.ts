/**
 * Copies a matrix to the device a few rows at a time, in its own format or quantised on the way, into one buffer or
 * several: JavaScript never holds more than a piece of it.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { emptyTensor, workDone, writeBytes } from '../kernels/in-place';
import { NF4_BLOCK, NF4_CODES, NF4_OUTER, nf4Layout, weightWords } from '../kernels/products/weight-formats';
import { widen } from '../kernels/products/weight-reference';
import { type PlainType, quantizeBlocksOnDevice } from '../quantization/blocks-device';
import { nf4Head, nf4Tail, quantizeBlocks, quantizeScales } from '../quantization/nf4';
import { nf4Blocks } from '../quantization/nf4-device';
import { Q8_BLOCK, quantizeQ8 } from '../quantization/q8';
import { q8Blocks } from '../quantization/q8-device';
import type { Weight, WeightFormat } from '../types';
import { alignView, createView } from '../webgpu/views';
import type { StoredType } from './model';

/** How linears are quantised at load; `none` keeps every tensor as stored. */
export type Quantization = 'none' | 'nf4' | 'q8';

export interface Placement {
  quantization: Quantization;
  /** Largest buffer, in bytes. */
  limit: number;
  /** Bytes of the file that are read at once. */
  pieceBytes: number;
}

/** Written bytes are copied on their way, so no more than this is in flight. */
const WAIT_BYTES = 4 * 2 ** 20;

/** A matrix to copy. */
export interface StoredMatrix {
  dtype: StoredType;
  rows: number;
  columns: number;
  /** Bytes of rows [from, to); null to create only the buffers. */
  read: ((from: number, to: number) => Promise<Uint8Array>) | null;
}

export const formatOf = (dtype: StoredType) => dtype.toLowerCase() as WeightFormat;

/** Stored bytes as float32 values. */
export function widenBytes(dtype: StoredType, bytes: Uint8Array, size: number): Float32Array {
  const whole = bytes.byteOffset % 4 === 0 && bytes.byteLength % 4 === 0;
  const words = whole ? bytes : new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  if (!whole) words.set(bytes);
  const Words = dtype === 'F32' ? Float32Array : Int32Array;
  return widen(new Words(words.buffer as ArrayBuffer, words.byteOffset, words.byteLength / 4), formatOf(dtype), size);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/**
 * A piece of `unit` values may end after a multiple of so many rows; itself a multiple of 4, so that words and quads
 * stay whole.
 */
function rowStep(columns: number, unit: number): number {
  const rows = unit / gcd(unit, columns);
  return (rows * 4) / gcd(rows, 4);
}

/** Rows of each part such that no part exceeds the limit; null if even the fewest rows do. */
function partRows(format: WeightFormat, rows: number, columns: number, limit: number): number[] | null {
  const bytes = (n: number) => weightWords(format, n, columns) * 4;
  if (bytes(rows) <= limit) return [rows];
  const step = rowStep(columns, format === 'nf4' ? NF4_BLOCK * NF4_OUTER : 1);
  let most = Math.floor(limit / bytes(step)) * step;
  while (most > 0 && bytes(most) > limit) most -= step;
  if (most <= 0) return null;
  const parts = Array.from({ length: Math.ceil(rows / most) }, () => most);
  parts[parts.length - 1] = rows - most * (parts.length - 1);
  return parts;
}

/** Linears stored as single values are quantised; Q8_0 needs rows of whole blocks. */
function targetFormat({ dtype, rows, columns }: StoredMatrix, quantization: Quantization, limit: number): WeightFormat {
  const own = formatOf(dtype);
  if (!['F32', 'F16', 'BF16'].includes(dtype)) return own;
  if (quantization === 'q8' && columns % Q8_BLOCK === 0) return 'q8_0';
  if (quantization === 'nf4' && partRows('nf4', rows, columns, limit)) return 'nf4';
  return own;
}

/** A matrix's tensor of so many rows. */
function tensorOf(format: WeightFormat, rows: number, columns: number) {
  return format === 'f32'
    ? { shape: [rows, columns], dtype: 'float32' as const }
    : { shape: [weightWords(format, rows, columns)], dtype: 'int32' as const };
}

/** Tensors for these matrices that are ranges of one buffer, or null if that would exceed the limit. */
export function sideBySide(
  matrices: StoredMatrix[],
  { quantization, limit }: Pick<Placement, 'quantization' | 'limit'>,
): tf.Tensor[] | null {
  let words = 0;
  const places = matrices.map((matrix) => {
    const { rows, columns } = matrix;
    const format = targetFormat(matrix, quantization, limit);
    const place = { at: words, ...tensorOf(format, rows, columns) };
    words += alignView(weightWords(format, rows, columns));
    return place;
  });
  if (words * 4 > limit) return null;
  const owner = emptyTensor([words], 'int32');
  const tensors = places.map(({ at, shape, dtype }) => createView(owner, at, shape, dtype));
  owner.dispose();
  return tensors;
}

/** `adopt` gets each tensor as it is created, to free it if the rest fails; `room` is the tensor that a matrix in one part has already. */
export async function placeMatrix(
  matrix: StoredMatrix,
  { quantization, limit, pieceBytes }: Placement,
  adopt: (tensor: tf.Tensor) => void,
  room?: tf.Tensor,
): Promise<Weight> {
  const { rows, columns, read } = matrix;
  const format = targetFormat(matrix, quantization, limit);
  // If even the fewest rows exceed the limit, the device reports it.
  const counts = partRows(format, rows, columns, limit) ?? [rows];
  const parts = counts.map((count) => {
    const { shape, dtype } = tensorOf(format, count, columns);
    const tensor = room ?? emptyTensor(shape, dtype);
    if (!room) adopt(tensor);
    return { tensor, rows: count };
  });
  const weight: Weight = { parts, format, shape: [rows, columns] };
  if (!read) return weight;

  const pieces = rowPieces(matrix, counts, format === 'nf4' ? NF4_BLOCK : 1, pieceBytes);
  if (format === 'nf4') await placeNf4(matrix, weight, pieces);
  else {
    for (const { part, at, from, to } of pieces) {
      const bytes = await read(from, to);
      const target = parts[part]!.tensor;
      const place = weightBytes(format, at, columns);
      const size = (to - from) * columns;
      if (format === formatOf(matrix.dtype)) await put(target, place, bytes);
      // Only values that are stored singly are quantised here (targetFormat). Pairs of blocks are whole words, and pieces begin with one.
      else if (!(await quantizeBlocksOnDevice(q8Blocks, matrix.dtype as PlainType, bytes, size, target, place / 4))) {
        await put(target, place, quantizeQ8(widenBytes(matrix.dtype, bytes, size)));
      }
    }
  }
  return weight;
}

/** Bytes of whole rows, without padding of a last odd half-word. */
const weightBytes = (format: WeightFormat, rows: number, columns: number) =>
  format === 'f16' || format === 'bf16' ? 2 * rows * columns : weightWords(format, rows, columns) * 4;

interface Piece {
  part: number;
  /** Index of the first row within the part. */
  at: number;
  from: number;
  to: number;
}

function rowPieces({ dtype, columns }: StoredMatrix, parts: number[], unit: number, pieceBytes: number): Piece[] {
  const step = rowStep(columns, unit);
  const stepBytes = weightWords(formatOf(dtype), step, columns) * 4;
  const most = Math.max(1, Math.floor(pieceBytes / stepBytes)) * step;
  const pieces: Piece[] = [];
  let first = 0;
  parts.forEach((rows, part) => {
    for (let at = 0; at < rows; at += most) {
      pieces.push({ part, at, from: first + at, to: first + Math.min(rows, at + most) });
    }
    first += rows;
  });
  return pieces;
}

async function put(tensor: tf.Tensor, at: number, bytes: Uint8Array): Promise<void> {
  writeBytes(tensor, at, bytes);
  if (bytes.byteLength >= WAIT_BYTES) await workDone();
}

/** Codes as they are computed, by the GPU where there is one, and at the end the scales, whose mean needs all of them. */
async function placeNf4({ dtype, rows, columns, read }: StoredMatrix, weight: Weight, pieces: Piece[]): Promise<void> {
  const absmax = new Float32Array(nf4Layout(rows * columns).blocks);
  for (const { part, at, from, to } of pieces) {
    const bytes = await read!(from, to);
    const size = (to - from) * columns;
    const { tensor } = weight.parts[part]!;
    const own = absmax.subarray((from * columns) / NF4_BLOCK);
    // Only values that are stored singly are quantised here (targetFormat).
    const found = await quantizeBlocksOnDevice(
      nf4Blocks,
      dtype as PlainType,
      bytes,
      size,
      tensor,
      NF4_CODES + (at * columns) / 8,
    );
    if (found) {
      own.set(found);
      continue;
    }
    const codes = new Uint8Array(Math.ceil(size / 2));
    quantizeBlocks(widenBytes(dtype, bytes, size), codes, own);
    await put(tensor, 4 * NF4_CODES + (at * columns) / 2, codes);
  }
  const scales = quantizeScales(absmax);
  let first = 0;
  for (const { tensor, rows: count } of weight.parts) {
    const { blocks, scales: at } = nf4Layout(count * columns);
    const own = {
      ...scales,
      codes: scales.codes.subarray(first, first + blocks),
      outer: scales.outer.subarray(first / NF4_OUTER, Math.ceil((first + blocks) / NF4_OUTER)),
    };
    first += blocks;
    writeBytes(tensor, 0, new Uint8Array(nf4Head(scales.offset).buffer));
    writeBytes(tensor, 4 * at, new Uint8Array(nf4Tail(count * columns, own).buffer));
  }
}
