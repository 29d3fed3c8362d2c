/**
 * Reward modelling: a head with one score learns to put the better of two answers first, as TRL's RewardTrainer does. Accuracy and
 * margin are means over pairs; the least, mean and highest score are those of each batch, averaged, as TRL logs them.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { RewardObjective } from '../../objectives/reward';
import { pairLoss } from '../kernels/losses/pair-loss';
import { withoutTape } from '../kernels/tape';
import { headScores, noLabels } from './classifier';
import { batchAs, type Objective, type ObjectiveTwin } from './objective';

export function rewardModel({ center_rewards_coefficient: centring }: Omit<RewardObjective, 'type'>): Objective {
  return {
    batches: 'pair',
    loss(pass, batch) {
      const { policy, scale } = pass;
      const own = batchAs(batch, 'pair');
      const { pairs } = own;
      const scores = headScores(policy, own, 'texts');
      const margins = policy.floats('margins', () => own.margins, [pairs]);
      const loss = pairLoss(scores, margins, { scale: () => pass.scale, centring });
      return { loss, targets: pairs, metrics: withoutTape(() => figures(scores, pairs, scale)), scores: null };
    },
  };
}

function figures(scores: tf.Tensor, pairs: number, scale: number): Record<string, tf.Scalar> {
  const [chosen, rejected] = tf.split(tf.reshape(scores, [2 * pairs]), 2) as [tf.Tensor1D, tf.Tensor1D];
  const times = (factor: number, value: tf.Tensor) => tf.mul<tf.Scalar>(value, factor);
  return {
    accuracy: times(scale, tf.sum(tf.cast(tf.greater(chosen, rejected), 'float32'))),
    margin: times(scale, tf.sum(tf.sub(chosen, rejected))),
    min_reward: times(scale * pairs, tf.min(scores)),
    mean_reward: times(scale * pairs, tf.mean(scores)),
    max_reward: times(scale * pairs, tf.max(scores)),
  };
}

export const rewardTwin: ObjectiveTwin<RewardObjective> = {
  type: 'reward',
  create(section, { task }) {
    if (task?.problemType !== 'regression') throw noLabels('pairs of a better and a worse answer');
    return rewardModel(section);
  },
};
