/**
 * Logits of a chunk of rows at a time, so that [tokens, vocabulary] never exists: what the kernels over an output head
 * share.
 *
 *   hidden [M, d]   weight [V, d] (logical)   bias [V] (or none)   rows int32 [R]   targets int32 [R]
 *   z_r = hidden[rows[r]]·Wᵀ + bias, then cap · tanh(z_r / cap), then z_r / temperature
 *
 * `rows` and `targets` are padded with -1; no row may occur twice, or its gradient would be lost. A pass turns each chunk's
 * logits into their gradient in place. Gradients of a trained weight and bias are summed over the chunks in order, that of the
 * weight in its place in a flat tensor if it has one, and those of hidden over pieces of the vocabulary. Chunks and pieces depend on shapes and the device alone, so that equal runs give
 * equal bits.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { adapterTraits } from '../../webgpu/adapter';
import type { GpuBackend } from '../../webgpu/backend';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { type GpuCall, type OutputSpec, shapeError, type View } from '../kernel';
import { clear, moveRows } from '../moves/row-moves';
import { groupsFor, recordNT, recordSplitNN, recordTN, splitOf } from '../products/matmul';
import { addNN, addNT, addTN } from '../products/matmul-reference';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';
import { computePlaced, type PlacedAttrs } from '../products/placed';
import { requireTrainable, type WeightAttrs, weightFits, weightOperand, widenWeight } from '../products/weight';

/** The place is that of the weight's gradient. */
export interface LogitAttrs extends WeightAttrs, Partial<PlacedAttrs> {
  /** Bounds the logits to ±softcap; 0: none. */
  softcap: number;
  /** Divides the capped logits; 1 when left out. */
  temperature?: number;
  /** The weight (float32, one part) or the bias is trained, so its gradient is made too. */
  trainsWeight: boolean;
  trainsBias: boolean;
}

/**
 * Multiplications and additions of one product over a chunk. Drivers reset a GPU whose work takes longer than about two
 * seconds; the slowest ones do this much in less than one.
 */
const CHUNK_WORK = 64e9;

/** Rows of logits computed at a time, in eights: what `bytes` hold, and no more work than a driver waits for. */
export function chunkRows(rows: number, [vocab, width]: readonly [number, number], bytes: number): number {
  const fit = Math.min(bytes / (vocab * 4), CHUNK_WORK / (2 * vocab * width));
  return Math.min(rows, Math.max(8, Math.floor(fit / 8) * 8));
}

/** Throws unless the inputs have the shapes above. */
export function requireLogitShapes(
  kernel: string,
  inputs: Record<string, { shape: number[] }>,
  attrs: LogitAttrs,
): void {
  const { hidden, bias, rows, targets, weight } = inputs;
  const { out: vocab, in: width } = attrs;
  if (
    hidden?.shape.length !== 2 ||
    hidden.shape[1] !== width ||
    rows?.shape.length !== 1 ||
    rows.shape[0] !== targets?.shape[0] ||
    targets?.shape.length !== 1 ||
    (bias && (bias.shape.length !== 1 || bias.shape[0] !== vocab))
  ) {
    throw shapeError(kernel, `hidden [M, ${width}], bias [${vocab}] or absent, rows [R], targets [R]`, {
      hidden: hidden?.shape,
      bias: bias?.shape,
      rows: rows?.shape,
      targets: targets?.shape,
    });
  }
  if (!weightFits(inputs, attrs)) {
    throw shapeError(kernel, `a weight of ${vocab} · ${width} values in ${attrs.format}`, { weight: weight?.shape });
  }
}

/** Those of hidden, weight and bias; [1] where a gradient is not wanted, or has a place. */
export function gradientSpecs(
  kernel: string,
  { hidden, bias }: Record<string, { shape: number[] }>,
  attrs: LogitAttrs,
): OutputSpec[] {
  const { out: vocab, in: width, trainsWeight, trainsBias, offsets } = attrs;
  if (trainsWeight) requireTrainable(kernel, attrs);
  return [
    { shape: hidden!.shape },
    { shape: trainsWeight && !offsets ? [vocab, width] : [1] },
    { shape: trainsBias && bias ? [vocab] : [1] },
  ];
}

/** The reference: `compute` adds to gradients of zeros, and that of the weight goes to its place if it has one. */
export function computeGradients(
  inputs: Record<string, View>,
  { offsets = null, add = false, out, in: width }: LogitAttrs,
  [dHidden, dWeight, dBias]: (Float32Array | Int32Array)[],
  compute: (gradients: (Float32Array | Int32Array)[]) => void,
): void {
  computePlaced(inputs, { offsets, add }, [dWeight!], [out * width], ([made]) => compute([dHidden!, made!, dBias!]));
}

export interface ReferenceRow {
  r: number;
  target: number;
  logits: Float32Array;
  top: number;
  /** Σ_v exp(z_v − top) */
  sum: number;
  /** Adds what the row's gradient, slope · factor · (softmax(z)[v] − wanted(v)), gives; overwrites `logits`. */
  addGradients(outputs: (Float32Array | Int32Array)[], factor: number, wanted: (v: number) => number): void;
}

/** The reference: the logits of each row that has a target. */
export function* referenceRows(inputs: Record<string, View>, attrs: LogitAttrs): Generator<ReferenceRow> {
  const { hidden, bias, rows, targets } = inputs;
  const { out: vocab, in: width, softcap, temperature = 1, trainsWeight, trainsBias } = attrs;
  const w = widenWeight(inputs, attrs);
  const logits = new Float32Array(vocab);
  for (let r = 0; r < rows!.shape[0]!; r++) {
    const row = rows!.data[r]!;
    const target = targets!.data[r]!;
    if (row < 0 || target < 0) continue;
    const at = row * width;
    const x = hidden!.data.subarray(at, at + width);
    if (bias) logits.set(bias.data);
    else logits.fill(0);
    addNT(logits, x, w, 1, vocab, width);
    if (softcap > 0) logits.set(logits.map((z) => softcap * Math.tanh(z / softcap)));
    if (temperature !== 1) logits.set(logits.map((z) => z / temperature));
    const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    let sum = 0;
    for (const value of logits) sum += Math.exp(value - top);
    const addGradients: ReferenceRow['addGradients'] = ([dHidden, dWeight, dBias], factor, wanted) => {
      for (let v = 0; v < vocab; v++) {
        const slope = (softcap > 0 ? 1 - ((logits[v]! * temperature) / softcap) ** 2 : 1) / temperature;
        logits[v] = slope * factor * (Math.exp(logits[v]! - top) / sum - wanted(v));
      }
      addNN((dHidden as Float32Array).subarray(at, at + width), logits, w, 1, vocab, width);
      if (trainsWeight) addTN(dWeight as Float32Array, logits, x, 1, vocab, width);
      if (trainsBias && bias) for (let v = 0; v < vocab; v++) dBias![v]! += logits[v]!;
    };
    yield { r, target, logits, top, sum, addGradients };
  }
}

export interface Chunk {
  logits: tf.TensorInfo;
  /** First of its rows among all, and how many they are. */
  start: number;
  n: number;
}

/**
 * Records `pass` over the logits of every chunk, before the cap. With `gradients` (as `gradientSpecs` has them), `pass` leaves
 * the gradient of the logits in their place, and those of hidden, weight and bias follow from it.
 */
export function overChunks(
  { backend, inputs, attrs, temp }: Pick<GpuCall<LogitAttrs>, 'backend' | 'inputs' | 'attrs' | 'temp'>,
  gradients: tf.TensorInfo[] | null,
  pass: (chunk: Chunk) => void,
): void {
  const { hidden, bias, rows } = inputs;
  const [tokens, width] = hidden!.shape as [number, number];
  const count = rows!.shape[0]!;
  const { out: vocab, trainsWeight, trainsBias, offsets, add: adds = false } = attrs;
  const w = weightOperand(inputs, attrs);
  const [dHidden, dWeight, dBias] = gradients ?? [];
  // The scatter skips rows without a target. With no rows at all nothing would write the others.
  for (const gradient of gradients?.slice(0, count === 0 ? 3 : 1) ?? []) clear(backend, gradient);
  const [at] = offsets ?? [];
  if (count === 0 && at !== undefined && !adds) clear(backend, inputs.flat!, at, vocab * width);
  // One chunk's worth, used by every chunk in turn: scratch tensors live until the kernel returns.
  const size = chunkRows(count, [vocab, width], adapterTraits(backend.device).logitsBytes);
  const x = temp([size, width]);
  const logits = temp([size, vocab]);
  const parts = splitOf(backend, { m: size, n: vocab, k: width });
  const dx = gradients && temp([parts, size, width]);
  for (let start = 0; start < count; start += size) {
    const n = Math.min(size, count - start);
    moveRows(backend, 'gather', { from: hidden!, to: x, rows: rows!, start, n, width, tokens });
    recordNT(backend, { x, w, y: logits, m: n, n: vocab, k: width, bias });
    pass({ logits, start, n });
    if (!dx) continue;
    const add = start > 0;
    if (trainsWeight) {
      const c = at === undefined ? dWeight! : inputs.flat!;
      recordTN(backend, n, [{ u: logits, v: x, c, p: vocab, q: width, at, add: add || adds }]);
    }
    if (trainsBias && bias) sumRows(backend, { values: logits, out: dBias!, n, width: vocab, add });
    recordSplitNN(backend, { y: logits, w, z: dx, m: n, n: vocab, k: width }, parts);
    moveRows(backend, 'scatter', { from: dx, to: dHidden!, rows: rows!, start, n, width, tokens, parts });
  }
}

/** out[v] = Σ over the chunk's rows of values[row, v], added to the existing values if `add`; one thread per column, in order. */
function sumRows(
  backend: GpuBackend,
  c: { values: tf.TensorInfo; out: tf.TensorInfo; n: number; width: number; add: boolean },
): void {
  dispatch(backend, {
    program: {
      key: `logit_bias add=${c.add}`,
      wgsl: `struct Uniforms { n: u32, width: u32 }
@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let column = globalIndex(wg, local, groups);
  if (column >= u.width) { return; }
  var sum = ${c.add ? 'out[column]' : '0.0'};
  for (var i = 0u; i < u.n; i++) { sum += values[i * u.width + column]; }
  out[column] = sum;
}`,
    },
    tensors: [c.values, c.out],
    writes: [c.out],
    uniforms: uniformBlock(u(c.n), u(c.width)),
    workgroups: groupsFor(c.width),
  });
}
