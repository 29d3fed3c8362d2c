/**
 * Losses of a classification head's scores, as in transformers' heads.
 *
 *   scores [R, C]   targets [R] or [R, C]   ->   loss [] = scale · Σ_r loss_r,   dScores [R, C]
 *
 *   cross_entropy   targets int32 [R], a class or −100 for none:   −Σ_c t_c · log softmax(scores_r)[c]
 *   binary          targets float32 [R, C] in [0, 1]:   mean over C of softplus(s) − t·s   (BCEWithLogitsLoss)
 *   squared         targets float32 [R, C]:   mean over C of (s − t)²   (MSELoss)
 *
 * t is defined as in cross-entropy.ts, with label smoothing, which the other two do not support. The gradient is computed
 * in the forward pass and multiplied by the gradient of the loss in the backward pass: two dispatches, whatever the loss.
 */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { current, type Live } from '../../webgpu/live';
import { defineKernel, shapeError } from '../kernel';
import { sumAll } from '../moves/row-moves';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';
import { isOne } from '../tape';

export type ScoreLossKind = 'cross_entropy' | 'binary' | 'squared';

interface ScoreLossAttrs {
  kind: ScoreLossKind;
  scale: Live;
  smoothing: number;
}

const kernel = defineKernel<ScoreLossAttrs>({
  name: 'ScoreLoss',
  outputs({ scores, targets }, { kind }) {
    const wanted = kind === 'cross_entropy' ? scores?.shape.slice(0, 1) : scores?.shape;
    if (scores?.shape.length !== 2 || targets?.shape.join() !== wanted?.join()) {
      throw shapeError('ScoreLoss', `scores [R, C], targets ${kind === 'cross_entropy' ? '[R]' : '[R, C]'}`, {
        scores: scores?.shape,
        targets: targets?.shape,
      });
    }
    return [{ shape: [] }, { shape: scores.shape }];
  },
  cpu({ scores, targets }, { kind, scale: live, smoothing }, [loss, dScores]) {
    const scale = current(live);
    const [rows, classes] = scores!.shape as [number, number];
    let total = 0;
    for (let r = 0; r < rows; r++) {
      const s = (scores!.data as Float32Array).subarray(r * classes, (r + 1) * classes);
      const d = dScores!.subarray(r * classes, (r + 1) * classes);
      if (kind === 'cross_entropy') {
        const target = targets!.data[r]!;
        if (target < 0) continue;
        const top = s.reduce((a, b) => Math.max(a, b), -Infinity);
        let sum = 0;
        for (const value of s) sum += Math.exp(value - top);
        for (let c = 0; c < classes; c++) {
          const wanted = (c === target ? 1 - smoothing : 0) + smoothing / classes;
          total += wanted * (Math.log(sum) + top - s[c]!);
          d[c] = scale * (Math.exp(s[c]! - top) / sum - wanted);
        }
        continue;
      }
      for (let c = 0; c < classes; c++) {
        const [x, t] = [s[c]!, targets!.data[r * classes + c]!];
        if (kind === 'binary') {
          total += (Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - t * x) / classes;
          d[c] = (scale * (1 / (1 + Math.exp(-x)) - t)) / classes;
        } else {
          total += (x - t) ** 2 / classes;
          d[c] = (scale * 2 * (x - t)) / classes;
        }
      }
    }
    loss![0] = scale * total;
  },
  gpu({ backend, inputs: { scores, targets }, outputs, attrs: { kind, scale, smoothing }, temp }) {
    const [loss, dScores] = outputs as [tf.TensorInfo, tf.TensorInfo];
    const [rows, classes] = scores!.shape as [number, number];
    const losses = temp([Math.max(1, rows)]);
    dispatch(backend, {
      program: { key: `score_loss ${kind}`, wgsl: shader(kind) },
      tensors: [scores!, targets!, losses, dScores],
      writes: [losses, dScores],
      uniforms: uniformBlock(u(rows), u(classes), f(scale), f(smoothing)),
      // The scale depends on the number of targets, which changes from batch to batch.
      volatile: true,
      workgroups: groupsFor(rows),
    });
    sumAll(backend, losses, loss, rows, scale);
  },
  savesOutputs: [false, true],
  gradient: ([dLoss], { outputs: [dScores] }) => ({
    scores: () => (isOne(dLoss!) ? dScores! : tf.mul(dScores!, dLoss!)),
  }),
});

const ROW: Record<ScoreLossKind, string> = {
  cross_entropy: `  let right = targets[row];
  var top = -3.4e38;
  for (var c = 0u; c < u.classes; c++) { top = max(top, scores[at + c]); }
  var sum = 0.0;
  for (var c = 0u; c < u.classes; c++) { sum += exp(scores[at + c] - top); }
  for (var c = 0u; c < u.classes; c++) {
    let s = scores[at + c];
    let wanted = select(0.0, 1.0 - u.smoothing, i32(c) == right) + u.smoothing / f32(u.classes);
    total += select(0.0, wanted * (log(sum) + top - s), right >= 0);
    dScores[at + c] = select(0.0, u.scale * (exp(s - top) / sum - wanted), right >= 0);
  }`,
  binary: `  for (var c = 0u; c < u.classes; c++) {
    let s = scores[at + c];
    let t = targets[at + c];
    // Uses exp(−|s|), which cannot overflow.
    let e = exp(-abs(s));
    total += (max(s, 0.0) + log(1.0 + e) - t * s) / f32(u.classes);
    dScores[at + c] = u.scale * (select(e, 1.0, s >= 0.0) / (1.0 + e) - t) / f32(u.classes);
  }`,
  squared: `  for (var c = 0u; c < u.classes; c++) {
    let difference = scores[at + c] - targets[at + c];
    total += difference * difference / f32(u.classes);
    dScores[at + c] = u.scale * 2.0 * difference / f32(u.classes);
  }`,
};

/** One thread per row: classes are few. */
const shader = (kind: ScoreLossKind) => `struct Uniforms { rows: u32, classes: u32, scale: f32, smoothing: f32 }
@group(0) @binding(0) var<storage, read> scores: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<${kind === 'cross_entropy' ? 'i32' : 'f32'}>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>;
@group(0) @binding(3) var<storage, read_write> dScores: array<f32>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let row = globalIndex(wg, local, groups);
  if (row >= u.rows) { return; }
  let at = row * u.classes;
  var total = 0.0;
${ROW[kind]}
  losses[row] = total;
}`;

/**
 * scale · summed loss of scores [R, C]. `targets`: int32 [R] of classes (−100: none) for cross-entropy, otherwise float32
 * [R, C]. `smoothing` applies to cross-entropy.
 */
export function scoreLoss(
  kind: ScoreLossKind,
  scores: tf.Tensor,
  targets: tf.Tensor,
  { scale, smoothing = 0 }: { scale: Live; smoothing?: number },
): tf.Scalar {
  const [loss, dScores] = kernel({ scores, targets }, { kind, scale, smoothing });
  dScores!.dispose();
  return loss as tf.Scalar;
}
