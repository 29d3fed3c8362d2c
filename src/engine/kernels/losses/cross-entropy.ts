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
 * gradients of a trained weight and bias are summed over the chunks in order, so equal runs give equal bits. That of the weight,
 * the largest there is, goes to its place at once if the loss is what the pass gives, whose own gradient is 1.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Weight } from '../../types';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { current, type Live } from '../../webgpu/live';
import { cpuArray, runInPlace } from '../in-place';
import { defineKernel } from '../kernel';
import { sumAll } from '../moves/row-moves';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';
import { placedAttrs } from '../products/placed';
import { weightAttrs, weightInputs } from '../products/weight';
import { isOne, takePlaceAhead } from '../tape';
import {
  computeGradients,
  gradientSpecs,
  type LogitAttrs,
  overChunks,
  referenceRows,
  requireLogitShapes,
} from './logit-chunks';
import { type SoftmaxPass, softmaxRows } from './softmax-rows';

interface CrossEntropyAttrs extends LogitAttrs {
  scale: Live;
  /** Share of each target that is spread over the vocabulary; 0: none. */
  smoothing: number;
  withGradient: boolean;
}

const kernel = defineKernel<CrossEntropyAttrs>({
  name: 'LinearCrossEntropy',
  outputs(inputs, attrs) {
    requireLogitShapes('LinearCrossEntropy', inputs, attrs);
    const none = [{ shape: [1] }, { shape: [1] }, { shape: [1] }];
    return [{ shape: [] }, ...(attrs.withGradient ? gradientSpecs('LinearCrossEntropy', inputs, attrs) : none)];
  },
  cpu(inputs, attrs, [loss, ...gradients]) {
    const { out: vocab, smoothing, withGradient } = attrs;
    const scale = current(attrs.scale);
    let total = 0;
    computeGradients(inputs, attrs, gradients, (made) => {
      for (const { target, logits, top, sum, addGradients } of referenceRows(inputs, attrs)) {
        const mean = smoothing > 0 ? logits.reduce((a, b) => a + b, 0) / vocab : 0;
        total += Math.log(sum) + top - (1 - smoothing) * logits[target]! - smoothing * mean;
        if (!withGradient) continue;
        addGradients(made, scale, (v) => (v === target ? 1 - smoothing : 0) + smoothing / vocab);
      }
    });
    loss![0] = scale * total;
  },
  gpu(call) {
    const { backend, inputs, outputs, attrs, temp } = call;
    const [loss, ...gradients] = outputs as [tf.TensorInfo, ...tf.TensorInfo[]];
    const { scale, smoothing, withGradient } = attrs;
    const count = inputs.rows!.shape[0]!;
    const losses = temp([count]);
    const smooth = smoothing > 0;
    const pass: SoftmaxPass = {
      key: `cross_entropy gradient=${withGradient} smooth=${smooth}`,
      bindings: [{ name: 'losses', tensor: losses, writes: true }],
      uniforms: { scale: f(scale), smoothing: f(smoothing) },
      // The scale changes with the number of target tokens, from batch to batch.
      volatile: true,
      body: (over) => `${
        smooth
          ? `${over('z')}
  let likely = (1.0 - u.smoothing) * chosen + u.smoothing * part / f32(u.vocab);`
          : 'let likely = chosen;'
      }
  if (first) { losses[at] = select(0.0, log(sum) + top - likely, valid); }`,
      gradient: withGradient
        ? {
            factor: 'u.scale',
            wanted: smooth ? '(hit * (1.0 - u.smoothing) + u.smoothing / f32(u.vocab))' : 'hit',
          }
        : undefined,
    };
    overChunks(call, withGradient ? gradients : null, (chunk) => softmaxRows(call, chunk, pass));
    sumAll(backend, losses, loss, count, scale);
  },
  savesOutputs: [false, true, true, true],
  gradient([dLoss], { outputs: [dHidden, dWeight, dBias] }, { withGradient, trainsWeight, trainsBias, offsets }) {
    if (offsets && !isOne(dLoss!))
      throw new Error('LinearCrossEntropy: as the result of a pass, it must be its value.');
    const times = (gradient: tf.Tensor | undefined, made: boolean, how: string) => () => {
      if (!made) throw new Error(`LinearCrossEntropy: run with ${how} to differentiate it.`);
      return isOne(dLoss!) ? gradient! : scaled(gradient!, dLoss!);
    };
    return {
      hidden: times(dHidden, withGradient, 'withGradient'),
      weight: offsets ? () => null : times(dWeight, withGradient && trainsWeight, 'withGradient and trainsWeight'),
      bias: times(dBias, withGradient && trainsBias, 'withGradient and trainsBias'),
    };
  },
});

/** The gradient times the loss's own, in place: a pass asks once, and a trained table in twice its size would be a waste. */
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

export interface CrossEntropyOptions {
  scale: Live;
  withGradient: boolean;
  /** As in the model's output head. */
  bias?: tf.Tensor | null;
  softcap?: number | null;
  /** label_smoothing_factor, in [0, 1). */
  smoothing?: number;
  /** Set if the weight (float32) or the bias is trained. */
  trainsWeight?: boolean;
  trainsBias?: boolean;
  /** The loss is what the pass gives, and not a part of it. */
  isResult?: boolean;
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
  const ahead = options.isResult && withGradient && trainsWeight ? takePlaceAhead(weight.parts[0]!.tensor) : undefined;
  const { flat, ...place } = placedAttrs([ahead]);
  const [loss, ...gradients] = kernel(
    { hidden, ...weightInputs(weight), bias: bias ?? undefined, rows, targets, flat },
    {
      ...weightAttrs(weight),
      scale,
      softcap: softcap ?? 0,
      smoothing,
      withGradient,
      trainsWeight,
      trainsBias,
      ...place,
    },
  );
  for (const gradient of gradients) gradient.dispose();
  return loss as tf.Scalar;
}
