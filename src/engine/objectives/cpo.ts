/**
 * Contrastive preference optimisation (Xu et al., 2024) and, as its loss types, SimPO (Meng et al., 2024) and AlphaPO (Gupta et al.,
 * 2025): preferences without a reference. As TRL 1.16's CPOTrainer.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { CpoObjective } from '../../objectives/cpo';
import { batchAs, type LossResult, type Objective, type ObjectiveTwin } from './objective';
import {
  type AnswerTokens,
  answerTokens,
  liveAnswers,
  meanOverTokens,
  policyFigures,
  rowMeans,
  rowSums,
} from './preference/answers';
import { constant, logSigmoid } from './preference/maths';
import { mapSides } from './preference/pair-losses';
import { pairMetrics, sidesOf } from './preference/pair-metrics';
import type { TargetFigures } from './tokens';

export interface Contrasted {
  scale: number;
  pairs: number;
  tokens: AnswerTokens;
  figures: TargetFigures;
}

/** −(1 − ε) log σ(x) − ε log σ(−x) */
const smoothed = (x: tf.Tensor, e: number): tf.Tensor =>
  tf.neg(tf.add(tf.mul(logSigmoid(x), 1 - e), tf.mul(logSigmoid(tf.neg(x)), e)));

/** The loss of each pair, from the difference of what its answers are worth. */
function pairLosses(difference: tf.Tensor, section: CpoObjective): tf.Tensor {
  const { loss_type, beta, label_smoothing, simpo_gamma } = section;
  switch (loss_type) {
    case 'sigmoid':
      return smoothed(tf.mul(difference, beta), label_smoothing);
    case 'simpo':
      return smoothed(tf.sub(tf.mul(difference, beta), simpo_gamma), label_smoothing);
    case 'hinge':
      return tf.relu(tf.sub(1, tf.mul(difference, beta)));
    case 'ipo':
      return tf.square(tf.sub(difference, 1 / (2 * beta)));
  }
}

/** The loss and the metrics, from log-probabilities. */
export function cpoResult(section: CpoObjective, { scale, pairs, tokens, figures }: Contrasted): LossResult {
  const { beta, alpha, loss_type, cpo_alpha } = section;
  const perToken = loss_type === 'ipo' || loss_type === 'simpo';
  const logps = sidesOf((perToken ? rowMeans : rowSums)(tokens, figures.logProbs), pairs);
  // (1 − p^−α) / α, which is log p where α is 0.
  const worth = mapSides(logps, (logp: tf.Tensor) =>
    alpha === 0 ? logp : tf.div(tf.sub(1, tf.exp(tf.mul(logp, -alpha))), alpha),
  );
  const losses = pairLosses(tf.sub(worth.chosen, worth.rejected), section);
  const likelihood = cpo_alpha === 0 ? tf.scalar(0) : tf.neg(meanOverTokens(tokens, figures.logProbs, 0, pairs));
  const loss = tf.mul(tf.add(tf.sum(losses), tf.mul(likelihood, cpo_alpha * pairs)), scale) as tf.Scalar;
  const rewards = mapSides(worth, (own) => constant(() => tf.mul(own, beta)));
  return {
    loss,
    targets: pairs,
    metrics: {
      ...pairMetrics(scale, pairs, { rewards, logps, tokens, figures }),
      nll_loss: constant(() => tf.mul(likelihood, scale * pairs) as tf.Scalar),
    },
    scores: null,
  };
}

export function cpo(section: CpoObjective): Objective {
  return {
    batches: 'pair',
    loss(pass, batch) {
      const rows = batchAs(batch, 'pair');
      const tokens = liveAnswers(rows, pass.policy.floats, () => answerTokens(rows));
      const figures = policyFigures(pass.policy, rows, tokens);
      return cpoResult(section, { scale: pass.scale, pairs: rows.pairs, tokens, figures });
    },
  };
}

export const cpoTwin: ObjectiveTwin<CpoObjective> = { type: 'cpo', create: cpo };
