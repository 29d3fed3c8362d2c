/**
 * Log-probabilities of chosen tokens, straight from hidden states: what preference and reinforcement learning compare.
 *
 *   hidden [M, d]   weight [V, d] (logical)   bias [V] (or none)   rows int32 [N]   targets int32 [N]
 *   -> logProbs [N] = log softmax(z_r)[targets[r]]   entropy [N] = −Σ_v p_v · log p_v, p = softmax(z_r)
 *      figures [3, N]: Σ_v z_r[v] / V; 1 where no token is likelier than the target; log Σ_v p_v²; all 0 where -1 pads
 *
 * z_r as in logit-chunks.ts: soft cap first, then temperature, as TRL's GRPO has it. The gradient of each log-probability
 * is known only in the backward pass, which therefore computes the logits again, chunk by chunk; neither pass holds [N, V].
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Weight } from '../../types';
import { defineKernel, type GradientWish } from '../kernel';
import { placedAttrs } from '../products/placed';
import { weightAttrs, weightInputs } from '../products/weight';
import { withoutTape } from '../tape';
import {
  computeGradients,
  gradientSpecs,
  type LogitAttrs,
  overChunks,
  referenceRows,
  requireLogitShapes,
} from './logit-chunks';
import { type SoftmaxPass, softmaxRows } from './softmax-rows';

interface TokenLogProbsAttrs extends LogitAttrs {
  withEntropy: boolean;
  /** The entropy and the other figures. */
  withFigures: boolean;
}

const kernel = defineKernel<TokenLogProbsAttrs>({
  name: 'TokenLogProbs',
  outputs(inputs, attrs) {
    requireLogitShapes('TokenLogProbs', inputs, attrs);
    if (!((attrs.temperature ?? 1) > 0)) {
      throw new Error(`TokenLogProbs: temperature must be above 0; got ${attrs.temperature}.`);
    }
    const { shape } = inputs.rows!;
    const { withEntropy, withFigures } = attrs;
    return [
      { shape },
      ...(withEntropy || withFigures ? [{ shape }] : []),
      ...(withFigures ? [{ shape: [3, ...shape] }] : []),
    ];
  },
  cpu(inputs, attrs, [logProbs, entropy, figures]) {
    const count = logProbs!.length;
    for (const { r, target, logits, top, sum } of referenceRows(inputs, attrs)) {
      logProbs![r] = logits[target]! - top - Math.log(sum);
      if (entropy) entropy[r] = Math.log(sum) - logits.reduce((s, z) => s + Math.exp(z - top) * (z - top), 0) / sum;
      if (!figures) continue;
      figures[r] = logits.reduce((s, z) => s + z, 0) / logits.length;
      figures[count + r] = logits[target]! >= top ? 1 : 0;
      figures[2 * count + r] = Math.log(logits.reduce((s, z) => s + Math.exp(2 * (z - top)), 0)) - 2 * Math.log(sum);
    }
  },
  gpu(call) {
    const [logProbs, entropy, figures] = call.outputs;
    const count = call.inputs.rows!.shape[0]!;
    const pass: SoftmaxPass = {
      key: `log_probs outputs=${call.outputs.length}`,
      bindings: [
        { name: 'logProbs', tensor: logProbs!, writes: true },
        ...(entropy ? [{ name: 'entropy', tensor: entropy, writes: true }] : []),
        ...(figures ? [{ name: 'figures', tensor: figures, writes: true }] : []),
      ],
      uniforms: figures && { count: { u: count } },
      body: (over) => `if (first) { logProbs[at] = select(0.0, chosen - top - log(sum), valid); }
  ${
    entropy
      ? `${over('exp(z - top) * (z - top)')}
  if (first) { entropy[at] = select(0.0, log(sum) - part / sum, valid); }`
      : ''
  }
  ${
    figures
      ? `${over('z')}
  if (first) {
    figures[at] = select(0.0, part / f32(u.vocab), valid);
    figures[u.count + at] = select(0.0, 1.0, valid && chosen >= top);
  }
  ${over('exp(2.0 * (z - top))')}
  if (first) { figures[2u * u.count + at] = select(0.0, log(part) - 2.0 * log(sum), valid); }`
      : ''
  }`,
    };
    overChunks(call, null, (chunk) => softmaxRows(call, chunk, pass));
  },
  savesOutputs: [false, false, false],
  gradient([dy], { inputs }, attrs) {
    let made: { gradients: tf.Tensor[]; placed: boolean } | null = null;
    const all = ({ wanted, placeOf }: GradientWish = {}) => {
      const { flat, ...place } = placedAttrs([wanted?.includes('weight') ? placeOf?.('weight') : undefined]);
      made ??= {
        gradients: backward({ dy: dy!, ...inputs, flat }, { ...attrs, ...place }),
        placed: flat !== undefined,
      };
      return made;
    };
    const trained = (index: number, is: boolean, how: string) => (wish?: GradientWish) => {
      if (!is) throw new Error(`TokenLogProbs: run with ${how} to differentiate it.`);
      const { gradients, placed } = all(wish);
      return index === 1 && placed ? null : gradients[index]!;
    };
    return {
      hidden: (wish) => all(wish).gradients[0]!,
      weight: trained(1, attrs.trainsWeight, 'trainsWeight'),
      bias: trained(2, attrs.trainsBias, 'trainsBias'),
    };
  },
});

const backward = defineKernel<TokenLogProbsAttrs>({
  name: 'TokenLogProbsBackward',
  outputs: (inputs, attrs) => gradientSpecs('TokenLogProbs', inputs, attrs),
  cpu(inputs, attrs, gradients) {
    computeGradients(inputs, attrs, gradients, (made) => {
      for (const { r, target, addGradients } of referenceRows(inputs, attrs)) {
        addGradients(made, -inputs.dy!.data[r]!, (v) => (v === target ? 1 : 0));
      }
    });
  },
  gpu(call) {
    const pass: SoftmaxPass = {
      key: 'log_probs_backward',
      bindings: [{ name: 'dy', tensor: call.inputs.dy! }],
      body: () => 'let factor = -dy[at];',
      gradient: { factor: 'factor', wanted: 'hit' },
    };
    overChunks(call, call.outputs, (chunk) => softmaxRows(call, chunk, pass));
  },
});

export interface TokenLogProbsOptions {
  /** As a model's output head has them. */
  bias?: tf.Tensor | null;
  softcap?: number | null;
  /** Divides the logits, after the soft cap; 1 when left out. */
  temperature?: number;
  /** Whether to give the entropy of each row's distribution too. */
  withEntropy?: boolean;
  /** Whether to give the entropy and the other figures. */
  withFigures?: boolean;
  /** Set if the weight (float32) or the bias is trained. */
  trainsWeight?: boolean;
  trainsBias?: boolean;
}

export interface TokenLogProbs {
  logProbs: tf.Tensor1D;
  /** Null unless asked for; no gradient flows through these. */
  entropy: tf.Tensor1D | null;
  /** [3, N]: mean logit, whether the target is the likeliest token, log Σ p². */
  figures: tf.Tensor2D | null;
}

/**
 * Log-probabilities of `targets` at `rows`, and what else is known of each row's distribution. hidden [M, d]; rows and
 * targets int32 [N], padded with -1. The backward pass reads both again, so they must not be overwritten before it.
 */
export function tokenLogProbs(
  hidden: tf.Tensor,
  weight: Weight,
  rows: tf.Tensor,
  targets: tf.Tensor,
  options: TokenLogProbsOptions = {},
): TokenLogProbs {
  const { bias, softcap, temperature = 1, withEntropy = false, withFigures = false } = options;
  const { trainsWeight = false, trainsBias = false } = options;
  const [logProbs, entropy, figures] = kernel(
    { hidden, ...weightInputs(weight), bias: bias ?? undefined, rows, targets },
    {
      ...weightAttrs(weight),
      softcap: softcap ?? 0,
      ...{ temperature, withEntropy, withFigures, trainsWeight, trainsBias },
    },
  ) as [tf.Tensor1D, tf.Tensor1D?, tf.Tensor2D?];
  return { logProbs, entropy: detached(entropy), figures: detached(figures) };
}

function detached<T extends tf.Tensor>(output: T | undefined): T | null {
  if (!output) return null;
  const copy = withoutTape(() => output.clone());
  output.dispose();
  return copy;
}
