/** Reward models before training, and what padding must not change. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBatchSource } from '../../../src/data/batches';
import type { PairExample } from '../../../src/data/types';
import { rewardScores } from '../../../src/engine/classification/reward-scores';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import type { LanguageModel } from '../../../src/engine/models/model';
import { withTaskHead } from '../../../src/engine/models/with-head';
import { rewardModel } from '../../../src/engine/objectives/reward';
import { evaluate } from '../../../src/engine/run/evaluate';
import { REWARD_TASK } from '../../../src/objectives/reward';
import { openBase } from '../../parity/reward-models';

let base: LanguageModel;
let model: LanguageModel;

beforeAll(async () => {
  await tf.setBackend('cpu');
  base = await openBase('llama');
  model = await withTaskHead(base, REWARD_TASK, { seed: 3 });
});
afterAll(() => {
  model.dispose();
  base.dispose();
  disposeInputs();
});

/** Progressions of different lengths, the better answer not told from the other by anything that a new head could know. */
const pairs: PairExample[] = Array.from({ length: 40 }, (_, i) => {
  const text = (n: number, step: number) => Int32Array.from({ length: n }, (_, t) => 6 + ((i * 7 + t * step) % 50));
  return {
    kind: 'pair',
    row: i + 1,
    ids: text(4 + (i % 7), 3),
    rejected: text(5 + (i % 5), 5),
    promptLength: 0,
    margin: 0,
    truncatedBy: 0,
  };
});

const measured = async (batchSize: number, bucket: number) => {
  const options = { batchSize, accumulation: 1, shuffle: false, seed: 0, padTokenId: 0, bucket };
  const objective = rewardModel({ center_rewards_coefficient: 0 });
  return (await evaluate({ model, method: null, objective }, createBatchSource([], pairs, options).evaluation()))!;
};

test('a new head guesses: the loss is close to log 2', async () => {
  const { loss, metrics } = await measured(8, 1);
  expect(loss).toBeCloseTo(Math.log(2), 1);
  expect(metrics.accuracy).toBeGreaterThan(0.2);
  expect(metrics.accuracy).toBeLessThan(0.8);
});

test('padding and the size of batches change neither the loss nor accuracy, margin and mean', async () => {
  const [alone, together] = [await measured(1, 1), await measured(13, 32)];
  expect(together.loss).toBeCloseTo(alone.loss, 5);
  for (const name of ['accuracy', 'margin', 'mean_reward']) {
    expect(together.metrics[name], name).toBeCloseTo(alone.metrics[name]!, 5);
  }
});

test('scores of many sequences are those of each alone, in their order', async () => {
  const sequences = pairs.flatMap(({ ids, rejected }) => [ids, rejected]);
  const together = await rewardScores(model, {}, sequences);
  for (const i of [0, 7, 41, 79]) {
    const [alone] = await rewardScores(model, {}, [sequences[i]!]);
    expect(together[i]).toBeCloseTo(alone!, 5);
  }
  expect(new Set(together).size).toBeGreaterThan(20);
  expect(await rewardScores(model, {}, [])).toEqual(new Float32Array());
});

test('what cannot be scored is refused', async () => {
  const long = new Int32Array(65).fill(7);
  await expect(rewardScores(model, {}, [long])).rejects.toThrow(
    'Text 1 has 65 tokens, but the model reads at most 64.',
  );
  await expect(rewardScores(base, {}, [Int32Array.of(7)])).rejects.toThrow('this one has no head');
  const classes = await withTaskHead(
    base,
    { problemType: 'single_label_classification', labels: ['a', 'b'] },
    { seed: 1 },
  );
  await expect(rewardScores(classes, {}, [Int32Array.of(7)])).rejects.toThrow('a head with 2 labels');
  classes.dispose();
});
