/**
 * The losses of DPO and its kin for each pair, as TRL 1.16 defines them (trl/trainer/dpo_trainer.py). r is the log-ratio of an
 * answer: what the policy gives it less what the reference does.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { DpoLossType, FDivergence } from '../../../objectives/dpo';
import { logSigmoid, sorted } from './maths';

/** Of the better and the other answer of each pair, [pairs]. */
export interface Sides<T = tf.Tensor> {
  chosen: T;
  rejected: T;
}

export interface PairLossInput {
  policy: Sides;
  reference: Sides;
  /** Tokens of each answer, [pairs], at least 1. */
  lengths: Sides<() => tf.Tensor>;
  /** −mean log-probability of all better answers' tokens, a scalar. */
  negativeLogLikelihood(): tf.Scalar;
}

export interface PairLossSettings {
  beta: number;
  label_smoothing: number;
  f_divergence_type: FDivergence;
  f_alpha_divergence_coef: number;
  discopop_tau: number;
}

export const mapSides = <A, B>({ chosen, rejected }: Sides<A>, map: (side: A) => B): Sides<B> => ({
  chosen: map(chosen),
  rejected: map(rejected),
});

export const logRatios = ({ policy, reference }: Pick<PairLossInput, 'policy' | 'reference'>): Sides => ({
  chosen: tf.sub(policy.chosen, reference.chosen),
  rejected: tf.sub(policy.rejected, reference.rejected),
});

const difference = ({ chosen, rejected }: Sides): tf.Tensor => tf.sub(chosen, rejected);

/** Greater exponents overflow float32. */
const LARGEST_EXPONENT = 80;

/** f′ of the ratio u = e^r, for a divergence f other than the reverse Kullback-Leibler (Wang et al., 2023). */
function divergence(r: tf.Tensor, { f_divergence_type, f_alpha_divergence_coef: alpha }: PairLossSettings): tf.Tensor {
  switch (f_divergence_type) {
    case 'reverse_kl':
      return r;
    case 'forward_kl':
      return tf.sub(1, tf.exp(tf.neg(r)));
    case 'js_divergence':
      return tf.add(Math.LN2, logSigmoid(r));
    case 'alpha_divergence': {
      // The limit at 1 is the reverse divergence.
      if (Math.abs(alpha - 1) < 1e-6) return r;
      const power = tf.minimum(tf.mul(r, alpha - 1), LARGEST_EXPONENT);
      return tf.div(tf.sub(tf.exp(power), 1), alpha - 1);
    }
  }
}

type PairLoss = (scores: Scored, settings: PairLossSettings) => tf.Tensor;

interface Scored extends PairLossInput {
  /** r of both answers, and what the divergence makes of it. */
  ratios: Sides;
  scores: Sides;
}

/** r or a score over the number of tokens. */
const perToken = ({ scores, lengths }: Scored): Sides => ({
  chosen: tf.div(scores.chosen, lengths.chosen()),
  rejected: tf.div(scores.rejected, lengths.rejected()),
});

const square = (x: tf.Tensor): tf.Tensor => tf.square(x);

/** −(1 − ε) log σ(βx) − ε log σ(−βx) */
const smoothed = (x: tf.Tensor, { beta, label_smoothing: e }: PairLossSettings): tf.Tensor => {
  const y = tf.mul(x, beta);
  return tf.neg(tf.add(tf.mul(logSigmoid(y), 1 - e), tf.mul(logSigmoid(tf.neg(y)), e)));
};

const LOSSES: Record<DpoLossType, PairLoss> = {
  sigmoid: ({ scores }, { beta }) => tf.neg(logSigmoid(tf.mul(difference(scores), beta))),
  sigmoid_norm: (given, { beta }) => tf.neg(logSigmoid(tf.mul(difference(perToken(given)), beta))),
  hinge: ({ scores }, { beta }) => tf.relu(tf.sub(1, tf.mul(difference(scores), beta))),
  ipo: (given, { beta }) => square(tf.sub(difference(perToken(given)), 1 / (2 * beta))),
  robust({ scores }, { beta, label_smoothing: e }) {
    const x = tf.mul(difference(scores), beta);
    const loss = tf.sub(tf.mul(logSigmoid(tf.neg(x)), e), tf.mul(logSigmoid(x), 1 - e));
    return tf.div(loss, 1 - 2 * e);
  },
  exo_pair({ scores }, { beta, label_smoothing: e }) {
    const x = tf.mul(difference(scores), beta);
    const term = (side: tf.Tensor, wanted: number) =>
      tf.mul(tf.sigmoid(side), tf.sub(logSigmoid(side), Math.log(wanted)));
    return tf.add(term(x, 1 - e), term(tf.neg(x), e));
  },
  nca_pair({ ratios }, { beta }) {
    const [c, r] = [tf.mul(ratios.chosen, beta), tf.mul(ratios.rejected, beta)];
    return tf.neg(tf.add(logSigmoid(c), tf.mul(tf.add(logSigmoid(tf.neg(c)), logSigmoid(tf.neg(r))), 0.5)));
  },
  bco_pair: ({ ratios }, { beta }) =>
    tf.neg(tf.add(logSigmoid(tf.mul(ratios.chosen, beta)), logSigmoid(tf.mul(ratios.rejected, -beta)))),
  sppo_hard: ({ ratios }, { beta }) =>
    tf.add(square(tf.sub(ratios.chosen, 0.5 / beta)), square(tf.add(ratios.rejected, 0.5 / beta))),
  // Optimal transport compares the batch's distributions: the sorted values, not those of one pair.
  aot: ({ policy, reference }, settings) =>
    smoothed(tf.sub(sorted(difference(policy)), sorted(difference(reference))), settings),
  aot_unpaired: ({ ratios }, settings) => smoothed(tf.sub(sorted(ratios.chosen), sorted(ratios.rejected)), settings),
  apo_zero: ({ ratios }, { beta }) =>
    tf.add(tf.sub(1, tf.sigmoid(tf.mul(ratios.chosen, beta))), tf.sigmoid(tf.mul(ratios.rejected, beta))),
  apo_down: ({ ratios }, { beta }) =>
    tf.add(tf.sigmoid(tf.mul(ratios.chosen, beta)), tf.sub(1, tf.sigmoid(tf.mul(difference(ratios), beta)))),
  discopop({ scores }, { beta, discopop_tau }) {
    const x = tf.mul(difference(scores), beta);
    const mix = tf.sigmoid(tf.div(x, discopop_tau));
    return tf.sub(tf.mul(tf.exp(tf.neg(x)), mix), tf.mul(logSigmoid(x), tf.sub(1, mix)));
  },
  // One number for the batch, which every pair of it has.
  sft: ({ negativeLogLikelihood, policy }) => tf.mul(negativeLogLikelihood(), tf.ones(policy.chosen.shape)),
};

/** The loss of each pair, [pairs]. */
export function pairLoss(type: DpoLossType, input: PairLossInput, settings: PairLossSettings): tf.Tensor {
  const ratios = logRatios(input);
  const scores = mapSides(ratios, (r) => divergence(r, settings));
  return LOSSES[type]({ ...input, ratios, scores }, settings);
}
