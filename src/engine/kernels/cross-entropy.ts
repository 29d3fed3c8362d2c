/**
 * Output projection and cross-entropy in one kernel, by chunks of rows, so that [tokens, vocabulary] never exists.
 *
 *   hidden [M, d]   weight [V, d] (logical)   bias [V] (or none)   rows int32 [R]   targets int32 [R]
 *   -> loss [] = scale · Σ_r −log softmax(z_r)[targets[r]],   z_r = hidden[rows[r]]·Wᵀ + bias, then cap · tanh(z_r / cap)
 *      dHidden [M, d] = the gradient of that loss ([1] when `withGradient` is false)
 *
 * Only rows with a target are projected: with loss on the answers alone that is often half of them. `rows` is padded with
 * -1 to a bucket, so that shapes repeat; no row may come twice. The gradient is made in the forward pass, chunk by chunk
 * (as in Cut Cross-Entropy and Liger Kernel), and multiplied by the loss's own gradient in the backward pass.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Weight } from '../types';
import { adapterTraits } from '../webgpu/adapter';
import { bufferOf, copyEncoder, type GpuBackend, markWritten } from '../webgpu/backend';
import { dispatch, f, u, uniformBlock } from '../webgpu/dispatch';
import { defineKernel, shapeError } from './kernel';
import { groupsFor, recordNN, recordNT } from './matmul';
import { addNN, addNT } from './matmul-reference';
import { ENTRY, GLOBAL_INDEX } from './matmul-wgsl';
import { type WeightAttrs, weightAttrs, weightInputs, weightOperand, widenWeight } from './weight';

interface CrossEntropyAttrs extends WeightAttrs {
  scale: number;
  /** Bounds the logits to ±softcap; 0: as they are. */
  softcap: number;
  withGradient: boolean;
}

/** Bytes that one chunk of logits may take. */
export const LOGITS_CHUNK_BYTES = 16 * 2 ** 20;

/** Rows of logits computed at a time. */
export function chunkRows(rows: number, vocab: number): number {
  const fit = Math.max(8, Math.floor(LOGITS_CHUNK_BYTES / (vocab * 4) / 8) * 8);
  return Math.min(rows, fit);
}

const kernel = defineKernel<CrossEntropyAttrs>({
  name: 'LinearCrossEntropy',
  outputs({ hidden, bias, rows, targets }, { out: vocab, withGradient }) {
    if (
      hidden?.shape.length !== 2 ||
      rows?.shape[0] !== targets?.shape[0] ||
      (bias && (bias.shape.length !== 1 || bias.shape[0] !== vocab))
    ) {
      throw shapeError('LinearCrossEntropy', `hidden [M, d], bias [${vocab}] or absent, rows [R], targets [R]`, {
        hidden: hidden?.shape,
        bias: bias?.shape,
        rows: rows?.shape,
        targets: targets?.shape,
      });
    }
    return [{ shape: [] }, { shape: withGradient ? hidden.shape : [1] }];
  },
  cpu(inputs, attrs, [loss, dHidden]) {
    const { hidden, bias, rows, targets } = inputs;
    const { out: vocab, in: width, scale, softcap, withGradient } = attrs;
    const w = widenWeight(inputs, attrs);
    const logits = new Float32Array(vocab);
    let total = 0;
    for (let r = 0; r < rows!.shape[0]!; r++) {
      const row = rows!.data[r]!;
      const target = targets!.data[r]!;
      if (row < 0) continue;
      const at = row * width;
      if (bias) logits.set(bias.data);
      else logits.fill(0);
      addNT(logits, hidden!.data.subarray(at, at + width), w, 1, vocab, width);
      if (softcap > 0) logits.set(logits.map((z) => softcap * Math.tanh(z / softcap)));
      const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
      let sum = 0;
      for (const value of logits) sum += Math.exp(value - max);
      total += Math.log(sum) + max - logits[target]!;
      if (!withGradient) continue;
      for (let v = 0; v < vocab; v++) {
        const slope = softcap > 0 ? 1 - (logits[v]! / softcap) ** 2 : 1;
        logits[v] = slope * scale * (Math.exp(logits[v]! - max) / sum - (v === target ? 1 : 0));
      }
      addNN((dHidden as Float32Array).subarray(at, at + width), logits, w, 1, vocab, width);
    }
    loss![0] = scale * total;
  },
  gpu({ backend, inputs, outputs, attrs, temp }) {
    const { hidden, bias, rows, targets } = inputs;
    const [loss, dHidden] = outputs as [tf.TensorInfo, tf.TensorInfo];
    const [tokens, width] = hidden!.shape as [number, number];
    const count = rows!.shape[0]!;
    const { out: vocab, scale, softcap, withGradient } = attrs;
    const w = weightOperand(inputs, attrs);
    if (withGradient) clear(backend, dHidden);
    const losses = temp([count]);
    // One chunk's worth, used by every chunk in turn: scratch tensors live until the kernel returns.
    const size = chunkRows(count, vocab);
    const x = temp([size, width]);
    const logits = temp([size, vocab]);
    const dx = withGradient ? temp([size, width]) : null;
    for (let start = 0; start < count; start += size) {
      const n = Math.min(size, count - start);
      moveRows(backend, 'gather', { from: hidden!, to: x, rows: rows!, start, n, width, tokens });
      recordNT(backend, { x, w, y: logits, m: n, n: vocab, k: width, bias });
      const given = { logits, rows: rows!, targets: targets!, losses };
      softmaxRows(backend, { ...given, start, n, vocab, scale, softcap, withGradient });
      if (!dx) continue;
      recordNN(backend, { y: logits, w, z: dx, m: n, n: vocab, k: width });
      moveRows(backend, 'scatter', { from: dx, to: dHidden, rows: rows!, start, n, width, tokens });
    }
    sumAll(backend, losses, loss, count, scale);
  },
  savesOutputs: [false, true],
  gradient([dLoss], { outputs: [dHidden] }, { withGradient }) {
    return {
      hidden: () => {
        if (!withGradient) throw new Error('LinearCrossEntropy: run with withGradient to differentiate it.');
        return tf.mul(dHidden!, dLoss!);
      },
    };
  },
});

function clear(backend: GpuBackend, tensor: tf.TensorInfo): void {
  const buffer = bufferOf(backend, tensor);
  copyEncoder(backend).clearBuffer(buffer);
  markWritten(backend, tensor);
}

function moveRows(
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
  },
): void {
  const body =
    direction === 'gather'
      ? 'var value = 0.0; if (row >= 0 && u32(row) < u.tokens) { value = src[u32(row) * u.width + column]; } dst[id] = value;'
      : 'if (row >= 0 && u32(row) < u.tokens) { dst[u32(row) * u.width + column] = src[id]; }';
  dispatch(backend, {
    program: {
      key: `${direction}_rows`,
      wgsl: `struct Uniforms { start: u32, n: u32, width: u32, tokens: u32 }
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
    uniforms: uniformBlock(u(c.start), u(c.n), u(c.width), u(c.tokens)),
    workgroups: groupsFor(c.n * c.width),
  });
}

/** Turns a chunk's logits into their gradient in place, and writes each row's loss. */
function softmaxRows(
  backend: GpuBackend,
  c: {
    logits: tf.TensorInfo;
    rows: tf.TensorInfo;
    targets: tf.TensorInfo;
    losses: tf.TensorInfo;
    start: number;
    n: number;
    vocab: number;
    scale: number;
    softcap: number;
    withGradient: boolean;
  },
): void {
  const threads = adapterTraits(backend.device).software ? 1 : 64;
  const capped = c.softcap > 0;
  const key = `softmax_rows threads=${threads} gradient=${c.withGradient} capped=${capped}`;
  // One thread a row on a CPU; on a GPU a workgroup shares a row and folds its partial results in a fixed tree.
  const shared = threads > 1;
  const fold = (op: string) =>
    shared
      ? `partial[lane] = part; workgroupBarrier();
  for (var s = ${threads / 2}u; s > 0u; s = s >> 1u) {
    if (lane < s) { partial[lane] = ${op}; } workgroupBarrier();
  }
  part = partial[0]; workgroupBarrier();`
      : '';
  dispatch(backend, {
    program: {
      key,
      wgsl: `struct Uniforms { start: u32, n: u32, vocab: u32, scale: f32, softcap: f32 }
@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<i32>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${shared ? `var<workgroup> partial: array<f32, ${threads}>;` : ''}
${
  // tanh from exp(−2|x|): WGSL's own may overflow.
  capped
    ? `fn logit(at: u32) -> f32 {
  let x = logits[at] / u.softcap;
  let e = exp(-2.0 * abs(x));
  return u.softcap * sign(x) * (1.0 - e) / (1.0 + e);
}
fn slope(z: f32) -> f32 { let t = z / u.softcap; return 1.0 - t * t; }`
    : `fn logit(at: u32) -> f32 { return logits[at]; }
fn slope(z: f32) -> f32 { return 1.0; }`
}
${GLOBAL_INDEX}
${ENTRY} {
  let row = ${shared ? 'wg.y * groups.x + wg.x' : 'globalIndex(wg, local, groups)'};
  let lane = ${shared ? 'local' : '0u'};
  ${shared ? '' : 'if (row >= u.n) { return; }'}
  let inside = row < u.n;
  let base = min(row, u.n - 1u) * u.vocab;
  let valid = rows[u.start + min(row, u.n - 1u)] >= 0;
  let wanted = u32(max(targets[u.start + min(row, u.n - 1u)], 0));
  var part = -3.4e38;
  for (var v = lane; v < u.vocab; v += ${threads}u) { part = max(part, logit(base + v)); }
  ${fold('max(partial[lane], partial[lane + s])')}
  let top = part;
  part = 0.0;
  for (var v = lane; v < u.vocab; v += ${threads}u) { part += exp(logit(base + v) - top); }
  ${fold('partial[lane] + partial[lane + s]')}
  let sum = part;
  if (inside && lane == 0u) { losses[u.start + row] = select(0.0, log(sum) + top - logit(base + wanted), valid); }
  ${
    c.withGradient
      ? `${shared ? 'workgroupBarrier(); storageBarrier();' : ''}
  if (!inside) { return; }
  for (var v = lane; v < u.vocab; v += ${threads}u) {
    let z = logit(base + v);
    let p = exp(z - top) / sum;
    logits[base + v] = select(0.0, slope(z) * u.scale * (p - select(0.0, 1.0, v == wanted)), valid);
  }`
      : ''
  }
}`,
    },
    tensors: [c.logits, c.rows, c.targets, c.losses],
    writes: [c.logits, c.losses],
    uniforms: uniformBlock(u(c.start), u(c.n), u(c.vocab), f(c.scale), f(c.softcap)),
    // The scale changes with the number of target tokens, from batch to batch.
    volatile: true,
    workgroups: shared ? groupsFor(c.n * 64) : groupsFor(c.n),
  });
}

/** out = scale · Σ values, in order, by one thread: a few hundred adds, and the same sum every time. */
function sumAll(backend: GpuBackend, values: tf.TensorInfo, out: tf.TensorInfo, n: number, scale: number): void {
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

/**
 * scale · summed negative log-likelihood of `targets` at `rows`, as a scalar.
 * hidden [M, d]; rows and targets int32 [R], padded with -1; `bias` and `softcap` as a model's output head has them.
 */
export function linearCrossEntropy(
  hidden: tf.Tensor,
  weight: Weight,
  rows: tf.Tensor,
  targets: tf.Tensor,
  options: { scale: number; withGradient: boolean; bias?: tf.Tensor | null; softcap?: number | null },
): tf.Scalar {
  const { scale, withGradient, bias, softcap } = options;
  const [loss, dHidden] = kernel(
    { hidden, ...weightInputs(weight), bias: bias ?? undefined, rows, targets },
    { ...weightAttrs(weight), scale, softcap: softcap ?? 0, withGradient },
  );
  dHidden!.dispose();
  return loss as tf.Scalar;
}
