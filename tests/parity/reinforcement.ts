/**
 * The losses of reinforcement learning on small numbers, for both backends. The expected numbers were computed with the
 * formulas of TRL 1.16.0's GRPOTrainer on the same tensors.
 */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { answerTokens, perToken } from '../../src/engine/objectives/reinforcement/answer-tokens';
import { type PolicyLossOptions, policyLoss } from '../../src/engine/objectives/reinforcement/policy-loss';
import { ppoLoss } from '../../src/engine/objectives/reinforcement/ppo-loss';
import { readFloats } from '../../src/engine/webgpu/backend';
import { expectClose } from '../kernel-helpers';

/** Two answers of 3 and 1 tokens behind prompts of 1 and 2. */
const LENGTH = 4;
const labels = Int32Array.of(-100, 5, 6, 7, -100, -100, 9, -100);
const at = [1, 2, 3, 6];
const figure = (values: number[]) => {
  const all = new Float32Array(2 * LENGTH);
  at.forEach((place, i) => {
    all[place] = values[i]!;
  });
  return all;
};
const LOG_PROBS = [-0.5, -1, -0.2, -0.7];
const OLD = figure([-0.6, -0.7, -0.6, -0.3]);
const REFERENCE = figure([-0.55, -1.2, -0.3, -0.6]);
const ADVANTAGES = Float32Array.of(1, -0.5);

const OPTIONS: PolicyLossOptions = {
  ...{ loss_type: 'dapo', importance_sampling_level: 'token', epsilon: 0.2, epsilon_high: 0, delta: 0 },
  ...{ beta: 0, use_bias_correction_kl: true, max_completion_length: 4 },
};

interface Case {
  name: string;
  options: Partial<PolicyLossOptions>;
  onPolicy?: boolean;
  loss: number;
  /** Of the tokens' log-probabilities. */
  gradient?: number[];
  metrics?: Record<string, number>;
}

const CASES: Case[] = [
  { name: 'grpo', options: { loss_type: 'grpo' }, loss: -0.307665 },
  { name: 'bnpo', options: { loss_type: 'bnpo' }, loss: -0.661497 },
  {
    name: 'dapo',
    options: {},
    loss: -0.661497,
    gradient: [-0.276293, -0.185205, 0, 0],
    metrics: { 'clip_ratio/low_mean': 0.25, 'clip_ratio/high_mean': 0.25, 'clip_ratio/region_mean': 0.5 },
  },
  { name: 'dr_grpo', options: { loss_type: 'dr_grpo' }, loss: -0.330749 },
  { name: 'dapo on its own policy', options: {}, onPolicy: true, loss: -0.625, gradient: [-0.25, -0.25, -0.25, 0.125] },
  { name: 'grpo by sequence', options: { loss_type: 'grpo', importance_sampling_level: 'sequence' }, loss: -0.33447 },
  { name: 'luspo', options: { loss_type: 'luspo', importance_sampling_level: 'sequence' }, loss: -1.403409 },
  { name: 'cispo', options: { loss_type: 'cispo', epsilon_high: 5 }, loss: 0.339289 },
  { name: 'sapo', options: { loss_type: 'sapo' }, loss: -0.660329 },
  { name: 'a higher upper bound', options: { epsilon_high: 0.28 }, loss: -0.681497 },
  { name: 'a penalty', options: { beta: 0.04 }, loss: -0.661238 },
  { name: 'a penalty without correction', options: { beta: 0.04, use_bias_correction_kl: false }, loss: -0.661198 },
  {
    name: 'a penalty on its own policy',
    options: { beta: 0.04 },
    onPolicy: true,
    loss: -0.6247,
    metrics: { kl: 0.007492 },
  },
];

/** `setUp` makes the backend ready. */
export function reinforcementParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: losses of GRPO and its kin`, () => {
    beforeAll(setUp);

    test.each(CASES)('$name', async ({ options, onPolicy, loss, gradient, metrics = {} }) => {
      const tokens = answerTokens({ batchSize: 2, length: LENGTH, labels });
      expect([...tokens.lengths]).toEqual([3, 1]);
      const given = (values: Float32Array) => perToken(tokens, values, 2);
      const logProbs = tf.tensor1d(given(figure(LOG_PROBS)));
      const measured: Record<string, tf.Scalar> = {};
      const { value, grads } = valueAndGradients(() => {
        const result = policyLoss(
          tokens,
          {
            ...{ logProbs, old: onPolicy ? null : given(OLD), reference: given(REFERENCE) },
            ...{ advantages: given(ADVANTAGES), tokensPerBatch: 4 },
          },
          { ...OPTIONS, ...options },
        );
        for (const [name, metric] of Object.entries(result.metrics)) measured[name] = tf.keep(metric);
        return result.loss;
      }, [logProbs]);
      expectClose([...(await readFloats(value))], [loss], { atol: 1e-5 });
      if (gradient) expectClose([...(await readFloats(grads[0]!))].slice(0, 4), gradient, { atol: 1e-5 });
      for (const [name, expected] of Object.entries(metrics)) {
        expectClose([...(await readFloats(measured[name]!))], [expected], { atol: 1e-5 });
      }
      tf.dispose([value, grads, logProbs, measured]);
    });
  });

  test(`${backend}: losses of PPO`, async () => {
    await setUp();
    const own = Int32Array.of(-100, 7, 8, 9, -100, -100, 7, 8, 9, 10);
    const tokens = answerTokens({ batchSize: 2, length: 5, labels: own });
    const list = (values: number[]) => Float32Array.from(tokens.rowOf, (_, i) => values[i] ?? 0);
    const logProbs = tf.tensor1d(list([-0.4, -0.9, -0.1, -0.4, -0.3, -0.9, -0.3]));
    const values = tf.tensor1d([0.2, 0.6, 0.3, 0.1, 0.1, 0.1, 0.2, 0.9, 0, 0]);
    const { loss, metrics } = ppoLoss(
      {
        ...{ tokens, logProbs, old: list([-0.5, -0.8, -0.1, -0.4, -0.6, -0.7, -0.3]) },
        advantages: list([1.134512, 1.061249, 0.96237, -0.518003, -0.692747, -0.883941, -1.063439]),
      },
      {
        ...{ values, count: 8 },
        old: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0, 0.1, 0.2, 0.3, 0, 0),
        returns: Float32Array.of(0.889912, 0.93675, 0.965, 1, -0.409212, -0.436012, -0.47475, -0.505, 0, 0),
      },
      8,
      { cliprange: 0.2, cliprange_value: 0.2, vf_coef: 0.1 },
    );
    const read = async (x: tf.Tensor) => (await readFloats(x))[0]!;
    // TRL 1.12.0's own helpers on the same numbers.
    expectClose([await read(metrics['loss/policy_avg']!)], [0.009115], { atol: 1e-5 });
    expectClose([await read(metrics['loss/value_avg']!)], [0.312014], { atol: 1e-5 });
    expectClose([await read(loss)], [0.040317], { atol: 1e-5 });
    tf.dispose([loss, metrics, logProbs, values]);
  });
}
