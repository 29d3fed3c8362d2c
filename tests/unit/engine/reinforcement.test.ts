import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import {
  groupAdvantages,
  leaveOneOutAdvantages,
  totalRewards,
} from '../../../src/engine/objectives/reinforcement/advantages';
import { ppoReturns } from '../../../src/engine/objectives/reinforcement/ppo-returns';
import { chosenAnswers } from '../../../src/engine/objectives/rejection-sampling';
import { expectClose } from '../../kernel-helpers';
import { reinforcementParity } from '../../parity/reinforcement';

reinforcementParity('cpu', async () => void (await tf.setBackend('cpu')));

const N = Number.NaN;

// Expected numbers: TRL 1.16.0 on the same rewards.
describe('advantages', () => {
  const rewards = [1, 0, 0, 1, 0, 0, 0, 0];

  test('of GRPO, by group, by batch and unscaled', () => {
    const group = groupAdvantages(rewards, 4, 'group');
    expectClose(group.values, [0.865875, -0.865875, -0.865875, 0.865875, 0, 0, 0, 0], { atol: 1e-5 });
    expect(group.withoutSpread).toBe(0.5);
    const batch = groupAdvantages(rewards, 4, 'batch');
    expectClose(batch.values.slice(0, 4), [1.07989, -1.07989, -1.07989, 1.07989], { atol: 1e-5 });
    expect(groupAdvantages(rewards, 4, 'none').values).toEqual([0.5, -0.5, -0.5, 0.5, 0, 0, 0, 0]);
  });

  test('of RLOO: the reward without the penalty, less the mean of the others', () => {
    const penalised = [1, 0, 0.5, 0.1].map((reward, i) => reward - 0.05 * [0.2, -0.1, 0.3, 0][i]!);
    expectClose(penalised, [0.99, 0.005, 0.485, 0.1], { atol: 1e-9 });
    expectClose(leaveOneOutAdvantages(penalised, 2, false).values, [0.985, -0.985, 0.385, -0.385], { atol: 1e-9 });
    const normalised = leaveOneOutAdvantages(penalised, 2, true).values;
    expect(normalised.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 9);
  });

  test('an answer that nothing is said about is left out of its group, and has none', () => {
    expect(
      totalRewards({
        weights: [1, 0.5],
        values: [
          [1, 2],
          [null, 2],
          [N, null],
          [0, N],
        ],
      }),
    ).toEqual([2, 1, N, 0]);
    expect(groupAdvantages([1, N, 0, N], 4, 'none').values).toEqual([0.5, 0, -0.5, 0]);
    expect(leaveOneOutAdvantages([1, N, 0, N], 4, false).values).toEqual([1, 0, -1, 0]);
    // One answer of a group says nothing about the others.
    expect(leaveOneOutAdvantages([1, N, 3, 5], 2, false).values).toEqual([0, 0, -2, 2]);
    expect(groupAdvantages([N, N], 2, 'group').values).toEqual([0, 0]);
  });
});

test('rejection sampling keeps the best answer to a prompt, if it is better than the mean, or all that are good enough', () => {
  const rewards = [0, 2, 1, 1, 3, 3, N, 0.5, N, N];
  expect(chosenAnswers(rewards, 2, { keep: 'best', threshold: 0 })).toEqual([1]);
  expect(chosenAnswers([1, 2, 3, 3, N, 0, 1, 1], 4, { keep: 'best', threshold: 0 })).toEqual([2, 6]);
  expect(chosenAnswers(rewards, 2, { keep: 'threshold', threshold: 1 })).toEqual([1, 2, 3, 4, 5]);
});

test('PPO: scores, penalties and values become advantages and returns', () => {
  // Responses of 3 and 4 tokens, the second without an end (penalty 1). Expected numbers: TRL 1.12.0's own helpers.
  const { advantages, returns, metrics } = ppoReturns(
    [
      { logProbs: [-0.5, -0.8, -0.1], reference: [-0.7, -0.7, -0.2], values: [0.1, 0.2, 0.3, 0.4], score: 1 },
      {
        logProbs: [-0.4, -0.6, -0.7, -0.3],
        reference: [-0.4, -0.5, -0.9, -0.4],
        values: [0, 0.1, 0.2, 0.3],
        score: 0.5 - 1,
      },
    ],
    { kl_coef: 0.05, kl_estimator: 'k1', gamma: 1, lam: 0.95, whiten_rewards: false },
  );
  expectClose(advantages[0]!, [1.134512, 1.061249, 0.96237], { atol: 1e-5 });
  expectClose(advantages[1]!, [-0.518003, -0.692747, -0.883941, -1.063439], { atol: 1e-5 });
  expectClose(returns[0]!, [0.889912, 0.93675, 0.965, 1], { atol: 1e-5 });
  expectClose(returns[1]!, [-0.409212, -0.436012, -0.47475, -0.505], { atol: 1e-5 });
  expect(metrics['objective/scores']).toBeCloseTo(0.25, 9);
  expect(metrics['objective/kl']).toBeCloseTo((0.2 + 0.2) / 2, 9);
  expect(metrics['objective/non_score_reward']).toBeCloseTo((-0.01 - 0.01) / 2, 9);
});
