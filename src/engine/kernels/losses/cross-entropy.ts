/**
 * Output projection and cross-entropy in one kernel, in chunks of rows, so that [tokens, vocabulary] never exists.
 *
 *   hidden [M, d]   weight [V, d] (logical)   bias [V] (or none)   rows int32 [R]   targets int32 [R]
 *   -> loss [] = scale · Σ_r −Σ_v t_v · log softmax(z_r)[v],   z_r = hidden[rows[r]]·Wᵀ + bias, then cap · tanh(z_r / cap)
 *      dHidden [M, d], dWeight [V, d], dBias [V] = the gradients of that loss; [1] if not wanted
 *
 * t is 1 for targets[r] and 0 elsewhere. Label smoothing (Szegedy et al., 2016; transformers' LabelSmoother, torch's
 * F.cross_entropy) takes the fraction `smoothing` of it and spreads it evenly over all V, the target included.
 *
 * Only rows with a target are projected: with loss on the answers only, that is often half of them. `rows` is padded with
 * -1 to a bucket, so that shapes repeat; no row may appear twice. The gradient is computed in the forward pass, chunk by
 * chunk (as in Cut Cross-Entropy and Liger Kernel), and multiplied by the gradient of the loss in the backward pass. The
 * gradients of a trained weight and bias are summed over the chunks in order, so equal runs give equal bits.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Weight } from '../../types';
import { adapterTraits } from '../../webgpu/adapter';
import type { GpuBackend } from '../../webgpu/backend';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { defineKernel, shapeError } from '../kernel';
import { clear, moveRows, sumAll } from '../moves/row-moves';
import { groupsFor, recordNN, recordNT, recordTN } from '../products/matmul';
import { addNN, addNT, addTN } from '../products/matmul-reference';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';
import {
  requireTrainable,
  type WeightAttrs,
  weightAttrs,
  weightInputs,
  weightOperand,
  widenWeight,
} from '../products/weight';

interface CrossEntropyAttrs extends WeightAttrs {
  scale: number;
  /** Bounds the logits to ±softcap; 0: no bound. */
  softcap: number;
  /** Fraction of each target that is spread over the vocabulary; 0: none. */
  smoothing: number;
  withGradient: boolean;
  /** The weight (float32, one part) or the bias is trained and needs a gradient. */
  trainsWeight: boolean;
  trainsBias: boolean;
}

/** Maximum bytes of one chunk of logits. */
export const LOGITS_CHUNK_BYTES = 16 * 2 ** 20;

/** Rows of logits computed at a time. */
export function chunkRows(rows: number, vocab: number): number {
  const fit = Math.max(8, Math.floor(LOGITS_CHUNK_BYTES / (vocab * 4) / 8) * 8);
  return Math.min(rows, fit);
}

const kernel = defineKernel<CrossEntropyAttrs>({
  name: 'LinearCrossEntropy',
  outputs({ hidden, bias, rows, targets }, attrs) {
    const { out: vocab, in: width, withGradient, trainsWeight, trainsBias } = attrs;
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
    if (withGradient && trainsWeight) requireTrainable('LinearCrossEntropy', attrs);
    return [
      { shape: [] },
      { shape: withGradient ? hidden.shape : [1] },
      { shape: withGradient && trainsWeight ? [vocab, width] : [1] },
      { shape: withGradient && trainsBias && bias ? [vocab] : [1] },
    ];
  },
  cpu(inputs, attrs, [loss, dHidden, dWeight, dBias]) {
    const { hidden, bias, rows, targets } = inputs;
    const { out: vocab, in: width, scale, softcap, smoothing, withGradient, trainsWeight, trainsBias } = attrs;
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
      const mean = smoothing > 0 ? logits.reduce((a, b) => a + b, 0) / vocab : 0;
      total += Math.log(sum) + max - (1 - smoothing) * logits[target]! - smoothing * mean;
      if (!withGradient) continue;
      for (let v = 0; v < vocab; v++) {
        const slope = softcap > 0 ? 1 - (logits[v]! / softcap) ** 2 : 1;
        const wanted = (v === target ? 1 - smoothing : 0) + smoothing / vocab;
        logits[v] = slope * scale * (Math.exp(logits[v]! - max) / sum - wanted);
      }
      addNN((dHidden as Float32Array).subarray(at, at + width), logits, w, 1, vocab, width);
      if (trainsWeight) {
        addTN(dWeight as Float32Array, logits, hidden!.data.subarray(at, at + width), 1, vocab, width);
      }
      if (trainsBias && bias) for (let v = 0; v < vocab; v++) dBias![v]! += logits[v]!;
    }
    loss![0] = scale * total;
  },
  gpu({ backend, inputs, outputs, attrs, temp }) {
    const { hidden, bias, rows, targets } = inputs;
    const [loss, dHidden, dWeight, dBias] = outputs as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
    const [tokens, width] = hidden!.shape as [number, number];
    const count = rows!.shape[0]!;
    const { out: vocab, scale, softcap, smoothing, withGradient, trainsWeight, trainsBias } = attrs;
    const w = weightOperand(inputs, attrs);
    for (const gradient of [dHidden, ...(count === 0 ? [dWeight, dBias] : [])]) {
      if (withGradient) clear(backend, gradient);
    }
    const losses = temp([count]);
    // One chunk's worth, reused by every chunk: scratch tensors live until the kernel returns.
    const size = chunkRows(count, vocab);
    const x = temp([size, width]);
    const logits = temp([size, vocab]);
    const dx = withGradient ? temp([size, width]) : null;
    for (let start = 0; start < count; start += size) {
      const n = Math.min(size, count - start);
      moveRows(backend, 'gather', { from: hidden!, to: x, rows: rows!, start, n, width, tokens });
      recordNT(backend, { x, w, y: logits, m: n, n: vocab, k: width, bias });
      const given = { logits, rows: rows!, targets: targets!, losses };
      softmaxRows(backend, { ...given, start, n, vocab, scale, softcap, smoothing, withGradient });
      if (!dx) continue;
      const add = start > 0;
      if (trainsWeight) recordTN(backend, n, [{ u: logits, v: x, c: dWeight, p: vocab, q: width, add }]);
      if (trainsBias && bias) sumRows(backend, { values: logits, out: dBias, n, width: vocab, add });
      recordNN(backend, { y: logits, w, z: dx, m: n, n: vocab, k: width });
      moveRows(backend, 'scatter', { from: dx, to: dHidden, rows: rows!, start, n, width, tokens });
    }
    sumAll(backend, losses, loss, count, scale);
  },
  savesOutputs: [false, true, true, true],
  gradient([dLoss], { outputs: [dHidden, dWeight, dBias] }, { withGradient, trainsWeight, trainsBias }) {
    const times = (gradient: tf.Tensor | undefined, made: boolean, how: string) => () => {
      if (!made) throw new Error(`LinearCrossEntropy: run with ${how} to differentiate it.`);
      return scaled(gradient!, dLoss!);
    };
    return {
      hidden: times(dHidden, withGradient, 'withGradient'),
      weight: times(dWeight, withGradient && trainsWeight, 'withGradient and trainsWeight'),
      bias: times(dBias, withGradient && trainsBias, 'withGradient and trainsBias'),
    };
  },
});

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
    smoothing: number;
    withGradient: boolean;
  },
): void {
  const threads = adapterTraits(backend.device).software ? 1 : 64;
  const capped = c.softcap > 0;
  const smooth = c.smoothing > 0;
  const key = `softmax_rows threads=${threads} gradient=${c.withGradient} capped=${capped} smooth=${smooth}`;
  // One thread per row on a CPU; on a GPU a workgroup shares a row and folds its partial results in a fixed tree.
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
      wgsl: `struct Uniforms { start: u32, n: u32, vocab: u32, scale: f32, softcap: f32, smoothing: f32 }
@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<i32>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${shared ? `var<workgroup> partial: array<f32, ${threads}>;` : ''}
${
  // tanh is computed from exp(−2|x|), because WGSL's own may overflow.
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
  ${
    smooth
      ? `part = 0.0;
  for (var v = lane; v < u.vocab; v += ${threads}u) { part += logit(base + v); }
  ${fold('partial[lane] + partial[lane + s]')}
  let likely = (1.0 - u.smoothing) * logit(base + wanted) + u.smoothing * part / f32(u.vocab);`
      : 'let likely = logit(base + wanted);'
  }
  if (inside && lane == 0u) { losses[u.start + row] = select(0.0, log(sum) + top - likely, valid); }
  ${
    c.withGradient
      ? `${shared ? 'workgroupBarrier(); storageBarrier();' : ''}
  if (!inside) { return; }
  for (var v = lane; v < u.vocab; v += ${threads}u) {
    let z = logit(base + v);
    let p = exp(z - top) / sum;
    logits[base + v] = select(0.0, slope(z) * u.scale * (p - ${smooth ? '(select(0.0, 1.0 - u.smoothing, v == wanted) + u.smoothing / f32(u.vocab))' : 'select(0.0, 1.0, v == wanted)'}), valid);
  }`
      : ''
  }
}`,
    },
    tensors: [c.logits, c.rows, c.targets, c.losses],
    writes: [c.logits, c.losses],
    uniforms: uniformBlock(u(c.start), u(c.n), u(c.vocab), f(c.scale), f(c.softcap), f(c.smoothing)),
    // The scale depends on the number of target tokens, which changes from batch to batch.
    volatile: true,
    workgroups: shared ? groupsFor(c.n * 64) : groupsFor(c.n),
  });
}

/** The gradient times that of the loss, in place: a pass asks for it once, and a copy of a trained table would be a waste. */
function scaled(gradient: tf.Tensor, factor: tf.Tensor): tf.Tensor {
  runInPlace(
    (backend) =>
      dispatch(backend, {
        program: {
          key: 'scale_in_place',
          wgsl: `struct Uniforms { size: u32 }
@group(0) @binding(0) var<storage, read> factor: array<f32>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let at = globalIndex(wg, local, groups);
  if (at < u.size) { values[at] *= factor[0]; }
}`,
        },
        tensors: [factor, gradient],
        writes: [gradient],
        uniforms: uniformBlock(u(gradient.size)),
        workgroups: groupsFor(gradient.size),
      }),
    () => {
      const [by] = cpuArray(factor);
      cpuArray(gradient).forEach((value, i, values) => {
        values[i] = value * by!;
      });
    },
  );
  return gradient;
}

/** out[v] = Σ over the chunk's rows of values[row, v], plus the contents of out with `add`; one thread per column, in order. */
function sumRows(
  backend: GpuBackend,
  c: { values: tf.TensorInfo; out: tf.TensorInfo; n: number; width: number; add: boolean },
): void {
  dispatch(backend, {
    program: {
      key: `cross_entropy_bias add=${c.add}`,
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

export interface CrossEntropyOptions {
  scale: number;
  withGradient: boolean;
  /** As in the model's output head. */
  bias?: tf.Tensor | null;
  softcap?: number | null;
  /** label_smoothing_factor, in [0, 1). */
  smoothing?: number;
  /** Set if the weight (float32) or the bias is trained. */
  trainsWeight?: boolean;
  trainsBias?: boolean;
}

/**
 * scale · summed cross-entropy of `targets` at `rows`, as a scalar. hidden [M, d]; rows and targets int32 [R], padded with
 * -1.
 */
export function linearCrossEntropy(
  hidden: tf.Tensor,
  weight: Weight,
  rows: tf.Tensor,
  targets: tf.Tensor,
  options: CrossEntropyOptions,
): tf.Scalar {
  const { scale, withGradient, bias, softcap, smoothing = 0, trainsWeight = false, trainsBias = false } = options;
  const [loss, ...gradients] = kernel(
    { hidden, ...weightInputs(weight), bias: bias ?? undefined, rows, targets },
    { ...weightAttrs(weight), scale, softcap: softcap ?? 0, smoothing, withGradient, trainsWeight, trainsBias },
  );
  for (const gradient of gradients) gradient.dispose();
  return loss as tf.Scalar;
}
