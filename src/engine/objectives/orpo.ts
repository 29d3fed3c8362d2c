/**
 * Odds-ratio preference optimisation (Hong et al., 2024): supervised training on the better answer, and a term for the odds of it
 * against the other's. No reference. As TRL 1.16's ORPOTrainer; log-probabilities are means over an answer's tokens.
 */
import * as tf from '@tensorflow/tfjs-core';
import { IGNORE_INDEX } from '../../base/ignore-index';
import type { PairBatch } from '../../data/types';
import type { OrpoObjective } from '../../objectives/orpo';
import { madeOnce } from '../webgpu/live';
import { batchAs, type LossResult, type Objective, type ObjectiveTwin } from './objective';
import {
  type AnswerTokens,
  answersAmong,
  answerTokens,
  type LabelledRows,
  liveAnswers,
  meanOverTokens,
  policyFigures,
  rowMeans,
} from './preference/answers';
import { constant, log1mexp, logSigmoid } from './preference/maths';
import { mapSides } from './preference/pair-losses';
import { pairMetrics, sidesOf } from './preference/pair-metrics';
import type { TargetFigures } from './tokens';

/** The better answers' prompts are learned as well: every real token of their rows. */
function withPrompts({ batchSize, pairs, length, ids, labels, lengths }: PairBatch): LabelledRows {
  const all = labels.map((label, i) => {
    const row = Math.floor(i / length);
    return row < pairs ? (i % length < lengths[row]! ? ids[i]! : IGNORE_INDEX) : label;
  });
  return { batchSize, length, ids, lengths, labels: all };
}

export interface Odds {
  scale: number;
  pairs: number;
  /** All that is learned, and the answers among it. */
  all: AnswerTokens;
  answers: AnswerTokens;
  figures: TargetFigures;
}

/** The loss and the metrics, from log-probabilities. */
export function orpoResult({ beta }: OrpoObjective, { scale, pairs, all, answers, figures }: Odds): LossResult {
  const means = sidesOf(rowMeans(answers, figures.logProbs), pairs);
  const odds = mapSides(means, (mean) => tf.sub(mean, log1mexp(mean)));
  const logOdds = tf.sub(odds.chosen, odds.rejected);
  const ratio = logSigmoid(logOdds);
  const likelihood = tf.neg(meanOverTokens(all, figures.logProbs, 0, pairs));
  const loss = tf.mul(tf.sub(tf.mul(likelihood, pairs), tf.mul(tf.sum(ratio), beta)), scale) as tf.Scalar;
  const scaled = (compute: () => tf.Tensor) => constant(() => tf.mul(compute(), scale) as tf.Scalar);
  const rewards = mapSides(means, (mean) => constant(() => tf.mul(mean, beta)));
  return {
    loss,
    targets: pairs,
    metrics: {
      ...pairMetrics(scale, pairs, { rewards, logps: means, tokens: answers, figures }),
      nll_loss: scaled(() => tf.mul(likelihood, pairs)),
      log_odds_ratio: scaled(() => tf.sum(ratio)),
      log_odds_chosen: scaled(() => tf.sum(logOdds)),
    },
    scores: null,
  };
}

export function orpo(section: OrpoObjective): Objective {
  return {
    batches: 'pair',
    loss(pass, batch) {
      const rows = batchAs(batch, 'pair');
      const { floats } = pass.policy;
      const learned = madeOnce(() => answerTokens(withPrompts(rows)));
      const all = liveAnswers(rows, floats, learned);
      const answers = liveAnswers(rows, floats, () => answersAmong(learned(), answerTokens(rows).counts));
      const figures = policyFigures(pass.policy, rows, all);
      return orpoResult(section, { scale: pass.scale, pairs: rows.pairs, all, answers, figures });
    },
  };
}

export const orpoTwin: ObjectiveTwin<OrpoObjective> = { type: 'orpo', create: orpo };
