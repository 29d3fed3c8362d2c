/**
 * Kahneman-Tversky optimisation (Ethayarajh et al., 2024): good answers are to become likelier than under the reference, bad ones
 * less so, each by more than answers that do not belong to their prompt have. As TRL 1.16's KTOTrainer.
 *
 * Those answers are the neighbours' of the same micro-batch (JudgedBatch), so any order of the examples will do; TRL's pairing
 * is that of dataset.shuffle: false. Their mean is of the micro-batch, like TRL's.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { JudgedBatch } from '../../data/types';
import type { KtoObjective } from '../../objectives/kto';
import { batchAs, type LossResult, type Objective, type ObjectiveTwin } from './objective';
import { computedAhead, type Question } from './preference/ahead';
import {
  type AnswerTokens,
  answerLogProbs,
  answerTokens,
  meanOverRows,
  policyFigures,
  rowSums,
  sliceRows,
} from './preference/answers';
import { constant } from './preference/maths';
import type { TargetFigures } from './tokens';

/** What a batch of judged answers came to under both models. */
export interface JudgedAnswers {
  scale: number;
  /** 1 for a good answer. */
  good: Uint8Array;
  tokens: AnswerTokens;
  figures: TargetFigures;
  /** Log-probabilities of the answers under the reference, [answers]. */
  reference: tf.Tensor;
  /** Of the mismatched answers under both models; null where the loss does without. */
  mismatched: { policy: tf.Tensor; reference: tf.Tensor } | null;
}

/** The loss and the metrics, from log-probabilities. */
export function ktoResult(section: KtoObjective, judged: JudgedAnswers): LossResult {
  const { beta, desirable_weight, undesirable_weight } = section;
  const { scale, good, tokens, figures, mismatched } = judged;
  const answers = good.length;
  const sums = rowSums(tokens, figures.logProbs);
  const ratios = tf.sub(sums, judged.reference);
  const drift = constant(() =>
    mismatched ? (tf.maximum(tf.mean(tf.sub(mismatched.policy, mismatched.reference)), 0) as tf.Scalar) : tf.scalar(0),
  );
  // +1 where the ratio is to rise, −1 where it is to fall.
  const signs = tf.tensor1d(Float32Array.from(good, (is) => (is ? 1 : -1)));
  const weights = tf.tensor1d(Float32Array.from(good, (is) => (is ? desirable_weight : undesirable_weight)));
  const gains = tf.sigmoid(tf.mul(tf.mul(tf.sub(ratios, drift), signs), beta));
  const loss = tf.mul(tf.sum(tf.mul(weights, tf.sub(1, gains))), scale) as tf.Scalar;
  return { loss, targets: answers, ...judgedMetrics(judged, { sums, ratios, drift, beta, scale }), scores: null };
}

interface Reported {
  sums: tf.Tensor;
  ratios: tf.Tensor;
  drift: tf.Scalar;
  beta: number;
  scale: number;
}

/** Under TRL's names. Good and bad answers are averaged over the micro-batches that have some, as there. */
function judgedMetrics({ good, tokens, figures }: JudgedAnswers, { sums, ratios, drift, beta, scale }: Reported) {
  const metrics: Record<string, tf.Scalar> = {};
  const counts: Record<string, number> = {};
  const put = (name: string, compute: () => tf.Tensor) => {
    metrics[name] = constant(() => tf.mul(compute(), scale) as tf.Scalar);
  };
  const means: Record<string, tf.Scalar> = {};
  for (const [side, is] of [
    ['chosen', 1],
    ['rejected', 0],
  ] as const) {
    const count = good.filter((own) => own === is).length;
    const share = Float32Array.from(good, (own) => (own === is ? 1 / Math.max(1, count) : 0));
    const mean = (values: tf.Tensor) => constant(() => tf.sum(tf.mul(values, tf.tensor1d(share))) as tf.Scalar);
    means[side] = mean(ratios);
    put(`rewards/${side}`, () => tf.mul(means[side]!, beta));
    put(`logps/${side}`, () => mean(sums));
    put(`logits/${side}`, () => meanOverRows(tokens, figures.meanLogit, (row) => good[row] === is));
    for (const name of ['rewards', 'logps', 'logits']) counts[`${name}/${side}`] = count > 0 ? 1 : 0;
  }
  // A batch without one of the kinds has no margin, and must not add to those of the others.
  const both = counts['rewards/chosen']! * counts['rewards/rejected']!;
  put('rewards/margins', () => tf.mul(tf.sub(means.chosen!, means.rejected!), beta * both));
  counts['rewards/margins'] = both;
  put('kl', () => tf.mul(drift, good.length));
  put('entropy', () =>
    tf.mul(
      meanOverRows(tokens, figures.entropy, () => true),
      good.length,
    ),
  );
  return { metrics, counts };
}

/** The rows that the reference is asked about: mismatched answers only where the loss compares with them. */
function questionOf({ loss_type }: KtoObjective, batch: JudgedBatch): Question {
  const rows = loss_type === 'kto' ? batch : sliceRows(batch, 0, batch.answers);
  const tokens = answerTokens(rows);
  return { rows, tokens, ask: (view) => answerLogProbs(view, rows, tokens) };
}

export function kto(section: KtoObjective): Objective {
  const compares = section.loss_type === 'kto';
  const { answer, ...kept } = computedAhead(section.precompute_ref_log_probs, (batch) =>
    questionOf(section, batchAs(batch, 'judged')),
  );
  return {
    ...kept,
    batches: 'judged',
    usesReference: true,
    loss(pass, batch) {
      const rows = batchAs(batch, 'judged');
      const { answers, good } = rows;
      const { policy } = pass;
      const own = sliceRows(rows, 0, answers);
      const tokens = answerTokens(own);
      const all = answer(questionOf(section, rows), () => pass.reference());
      const reference = tf.slice(all, 0, answers);
      // No gradient flows through the mismatched answers, so nothing of them is kept.
      const others = sliceRows(rows, answers, 2 * answers);
      const mismatched = compares
        ? {
            policy: constant(() => answerLogProbs(policy, others, answerTokens(others))),
            reference: tf.slice(all, answers, answers),
          }
        : null;
      const figures = policyFigures(policy, own, tokens);
      return ktoResult(section, { scale: pass.scale, good, tokens, figures, reference, mismatched });
    },
  };
}

export const ktoTwin: ObjectiveTwin<KtoObjective> = { type: 'kto', create: kto };
