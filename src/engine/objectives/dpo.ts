/**
 * Direct preference optimisation (Rafailov et al., 2023) and its kin: the policy is to prefer the better answer of a pair by more
 * than the reference does. As TRL 1.16's DPOTrainer: losses are means over pairs, of weighted sums of `loss_type`.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { PairBatch } from '../../data/types';
import type { DpoObjective } from '../../objectives/dpo';
import { batchAs, type LossResult, type Objective, type ObjectiveTwin } from './objective';
import { computedAhead, type Question } from './preference/ahead';
import {
  type AnswerTokens,
  answerLengths,
  answerLogProbs,
  answerTokens,
  liveAnswers,
  meanOverTokens,
  policyFigures,
  rowMeans,
  rowSums,
  type TokenWeight,
} from './preference/answers';
import { constant } from './preference/maths';
import { logRatios, mapSides, type PairLossInput, pairLoss } from './preference/pair-losses';
import { pairMetrics, sidesOf } from './preference/pair-metrics';
import type { TargetFigures } from './tokens';

/** LD-DPO (Liu et al., 2024): tokens past the length of the shorter answer count `ld_alpha`. */
function tailWeight(tokens: AnswerTokens, ld_alpha: number): TokenWeight {
  const shorter = shorterAnswer(tokens);
  return (row, place) => (place < shorter(row) ? 1 : ld_alpha);
}

/** Tokens of the shorter answer of a row's pair. */
function shorterAnswer(tokens: AnswerTokens): (row: number) => number {
  const pairs = tokens.batchSize / 2;
  return (row) => Math.min(tokens.counts[row % pairs]!, tokens.counts[pairs + (row % pairs)]!);
}

/** WPO (Zhou et al., 2024): pairs that the policy could have written itself count more. */
const likelihoodWeights = ({ pairs, tokens, figures }: ComparedPairs): tf.Tensor =>
  constant(() => {
    const aligned = tf.sub(figures.logProbs, figures.logSumSq) as tf.Tensor1D;
    const { chosen, rejected } = sidesOf(tf.exp(rowMeans(tokens, aligned)), pairs);
    return tf.mul(chosen, rejected);
  });

/** What a batch of pairs came to under both models. */
export interface ComparedPairs {
  scale: number;
  pairs: number;
  tokens: AnswerTokens;
  figures: TargetFigures;
  /** Log-probabilities of the answers under the reference, [2 · pairs]. */
  reference: tf.Tensor1D;
}

/** Tokens past the shorter answer's length may count less, in the policy's sums and the reference's alike. */
export const dpoTokenWeight = ({ ld_alpha }: DpoObjective, tokens: AnswerTokens): TokenWeight | undefined =>
  ld_alpha === 1 ? undefined : tailWeight(tokens, ld_alpha);

/** The loss and the metrics, from log-probabilities. */
export function dpoResult(section: DpoObjective, compared: ComparedPairs): LossResult {
  const { beta, loss_type, loss_weights, use_weighting } = section;
  const { scale, pairs, tokens, figures } = compared;
  const policy = sidesOf(rowSums(tokens, figures.logProbs, dpoTokenWeight(section, tokens)), pairs);
  const input: PairLossInput = {
    policy,
    reference: sidesOf(compared.reference, pairs),
    lengths: { chosen: () => answerLengths(tokens, 0, pairs), rejected: () => answerLengths(tokens, pairs) },
    negativeLogLikelihood: () => tf.neg(meanOverTokens(tokens, figures.logProbs, 0, pairs)),
  };
  const losses = loss_type.map((type, i) => tf.mul(pairLoss(type, input, section), loss_weights?.[i] ?? 1));
  const sum = losses.reduce((all, own) => tf.add(all, own));
  const weighted = use_weighting ? tf.mul(sum, likelihoodWeights(compared)) : sum;
  const rewards = mapSides(logRatios(input), (ratio) => constant(() => tf.mul(ratio, beta)));
  return {
    loss: tf.mul(tf.sum(weighted), scale) as tf.Scalar,
    targets: pairs,
    metrics: pairMetrics(scale, pairs, { rewards, logps: policy, tokens, figures }),
    scores: null,
  };
}

/** The reference is asked for sums that may leave a part of the tails out. */
function questionOf(section: DpoObjective, rows: PairBatch, tokens: AnswerTokens = answerTokens(rows)): Question {
  const marks = shorterAnswer(tokens);
  const weight = dpoTokenWeight(section, tokens);
  return { rows, tokens, ...(weight && { marks }), ask: (view) => answerLogProbs(view, rows, tokens, weight) };
}

export function dpo(section: DpoObjective): Objective {
  const ahead = computedAhead(section.precompute_ref_log_probs, (batch) => questionOf(section, batchAs(batch, 'pair')));
  const { answer, ...kept } = ahead;
  return {
    ...kept,
    batches: 'pair',
    usesReference: true,
    loss(pass, batch) {
      const rows = batchAs(batch, 'pair');
      const tokens = liveAnswers(rows, pass.policy.floats, () => answerTokens(rows));
      const question = questionOf(section, rows, tokens);
      // The reference first: what it takes is free again when the policy's activations are kept.
      const reference = answer(question, () => pass.reference());
      const figures = policyFigures(pass.policy, rows, tokens);
      return dpoResult(section, { scale: pass.scale, pairs: rows.pairs, tokens, figures, reference });
    },
  };
}

export const dpoTwin: ObjectiveTwin<DpoObjective> = { type: 'dpo', create: dpo };
