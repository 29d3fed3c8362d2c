/**
 * Online DPO (Guo et al., 2024) as TRL 1.16.0 does it: two answers to each prompt, of which the one with the higher reward is
 * preferred, the first if both have the same; one step on them, and new ones. Log-probabilities are those of temperature 1.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { OnlineDpoObjective } from '../../objectives/online-dpo';
import { withoutTape } from '../kernels/tape';
import { batchAs, type Objective, type ObjectiveTwin } from './objective';
import { mean } from './reinforcement/advantages';
import { answerTokens, rowSums } from './reinforcement/answer-tokens';
import { figureOf, type HeldAnswer, rolloutBatches } from './reinforcement/held';
import { answerLogProbs, keep, reusedRollouts } from './reinforcement/reused';
import { lengthMetrics, rewardMetrics, shownRollouts } from './reinforcement/rollouts';
import { targetLogProbs } from './tokens';

const sum = (list: readonly number[]) => list.reduce((total, x) => total + x, 0);

/** −log σ(β·margin), or IPO's square, of each pair. */
export function preferenceLosses(
  margins: tf.Tensor,
  { beta, loss_type }: Pick<OnlineDpoObjective, 'beta' | 'loss_type'>,
): tf.Tensor {
  if (loss_type === 'ipo') return tf.square(tf.sub(margins, 1 / (2 * beta)));
  return tf.softplus(tf.mul(margins, -beta));
}

export function onlineDpo(section: OnlineDpoObjective): Objective {
  const { beta, max_new_tokens, missing_eos_penalty } = section;
  return {
    batches: 'prompt',
    usesReference: true,
    ...reusedRollouts({
      ...{ steps: 1, sampling: section, maxNewTokens: max_new_tokens, generations: 2 },
      async turn(tools, scored) {
        const { answers } = scored;
        const reference = await answerLogProbs(tools, tools.reference(), answers, 1);
        if (!reference) return null;
        const scores = scored.rewards.map((reward, i) => reward - (answers[i]!.finished ? 0 : missing_eos_penalty));
        const pairs = Array.from({ length: answers.length / 2 }, (_, p): [better: number, other: number] =>
          scores[2 * p]! >= scores[2 * p + 1]! ? [2 * p, 2 * p + 1] : [2 * p + 1, 2 * p],
        );
        const known = pairs.filter((pair) => pair.every((i) => !Number.isNaN(scores[i]!)));
        const margins = known.map(([better, other]) => scores[better]! - scores[other]!);
        const side = new Map(pairs.flatMap(([better, other]) => [[better, 1] as const, [other, -1] as const]));
        tools.show(
          shownRollouts(
            scored,
            answers.map((_, i) => side.get(i)!),
          ),
        );
        const learned = new Set(known);
        const held = pairs.flatMap((pair) =>
          pair.map(
            (i): HeldAnswer => ({
              ...keep(answers[i]!),
              figures: { reference: sum(reference[i]!), counts: learned.has(pair) ? 1 : 0 },
            }),
          ),
        );
        return {
          answers: held,
          metrics: {
            ...rewardMetrics(scored),
            'objective/scores': mean(scores),
            'objective/scores_margin': mean(margins),
            frac_reward_zero_std: margins.filter((margin) => margin === 0).length / Math.max(1, margins.length),
            'val/contain_eos_token': mean(answers.map(({ finished }) => (finished ? 1 : 0))),
            ...lengthMetrics(answers),
          },
          withoutSpread: 1 - margins.filter((margin) => margin > 0).length / Math.max(1, pairs.length),
        };
      },
      batches: (answers, _within, { settings, tokens }) =>
        rolloutBatches(answers, 2 * settings.per_device_train_batch_size, tokens.pad),
    }),
    // Pairs that are compared.
    targets: (batch) => sum([...figureOf(batchAs(batch, 'rollout'), 'counts')]) / 2,
    loss(pass, batch) {
      const own = batchAs(batch, 'rollout');
      const tokens = answerTokens(own);
      const logProbs = rowSums(tokens, targetLogProbs(pass.policy, pass.policy.hidden(own), tokens.targets));
      const counts = figureOf(own, 'counts');
      const asPairs = (x: tf.Tensor) => tf.unstack(tf.reshape(x, [-1, 2]), 1) as [tf.Tensor, tf.Tensor];
      const ratios = tf.sub(logProbs, tf.tensor1d(figureOf(own, 'reference')));
      const [better, other] = asPairs(ratios);
      const margins = tf.sub(better, other);
      const weights = tf.tensor1d(counts.filter((_, i) => i % 2 === 0));
      const meanOf = (x: tf.Tensor) => tf.mul(tf.sum(tf.mul(x, weights)), pass.scale) as tf.Scalar;
      const metrics = withoutTape(() => {
        const [chosen, rejected] = asPairs(logProbs);
        const both = (x: tf.Tensor, y: tf.Tensor) => meanOf(tf.mul(tf.add(x, y), 0.5));
        return {
          'logps/chosen': meanOf(chosen),
          'logps/rejected': meanOf(rejected),
          'rewards/chosen': meanOf(tf.mul(better, beta)),
          'rewards/rejected': meanOf(tf.mul(other, beta)),
          'rewards/margins': meanOf(tf.mul(margins, beta)),
          'rewards/accuracies': meanOf(tf.cast(tf.greater(margins, 0), 'float32')),
          'objective/kl': both(better, other),
          'objective/non_score_reward': tf.mul<tf.Scalar>(both(better, other), -beta),
          'objective/entropy': tf.neg<tf.Scalar>(both(chosen, rejected)),
        };
      });
      return {
        loss: meanOf(preferenceLosses(margins, section)),
        targets: sum([...counts]) / 2,
        metrics,
        scores: null,
      };
    },
  };
}

export const onlineDpoTwin: ObjectiveTwin<OnlineDpoObjective> = { type: 'online_dpo', create: onlineDpo };
