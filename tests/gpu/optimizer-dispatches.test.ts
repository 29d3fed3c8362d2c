/** How many dispatches an optimiser takes per step, and that it creates nothing new after the first few steps. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { createOptimizer, type Optimizer, type OptimizerSettings } from '../../src/engine/optim/optimizer';
import { counters, flush, gpuBackend, readFloats } from '../../src/engine/webgpu/backend';
import type { OptimizerName } from '../../src/recipe/types';
import { openTestDevice } from './open-device';

beforeAll(openTestDevice);

const SETTINGS: OptimizerSettings = {
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  weight_decay: 0.01,
  max_grad_norm: 1,
  sgd_momentum: 0.9,
};

/** Adapters of twenty modules; adamw_8bit quantises the moments of A (8·600 values) but not of B (8·40). */
const lora = () =>
  new Map(
    Array.from({ length: 20 }, (_, i) => [
      [`layers.${i}.q_proj.lora_A.weight`, tf.keep(tf.fill([8, 600], 0.5))] as const,
      [`layers.${i}.q_proj.lora_B.weight`, tf.keep(tf.fill([40, 8], 0.5))] as const,
    ]).flat(),
  );

const ACCUMULATE = Math.ceil(40 / 7);
const NORM = 2;

async function costOf(
  trainable: Map<string, tf.Tensor>,
  optimizer: Optimizer,
  steps = 8,
): Promise<{ dispatches: number; created: number }[]> {
  const costs = [];
  const grads = [...trainable.values()].map((t) => tf.fill(t.shape, 0.25));
  const loss = tf.scalar(1);
  await readFloats(loss);
  for (const t of [...grads, loss]) await readFloats(t);
  for (let step = 0; step < steps; step++) {
    flush(gpuBackend());
    const before = { ...counters };
    optimizer.accumulate(grads, true);
    await optimizer.update(loss, 1e-3);
    flush(gpuBackend());
    costs.push({
      dispatches: counters.dispatches - before.dispatches,
      created: counters.bindGroups + counters.uniformBuffers - before.bindGroups - before.uniformBuffers,
    });
  }
  tf.dispose([...grads, loss]);
  return costs;
}

test.each<[OptimizerName, number]>([
  ['adamw', 1],
  ['adam', 1],
  ['sgd', 1],
  ['lion', 1],
  ['adafactor', 5],
  ['adamw_8bit', 2],
])('%s updates forty adapters in %i dispatches', async (optim, own) => {
  const trainable = lora();
  const optimizer = createOptimizer(trainable, { ...SETTINGS, optim });
  const costs = await costOf(trainable, optimizer);
  expect(costs.map((c) => c.dispatches)).toEqual(costs.map(() => ACCUMULATE + NORM + own));
  expect(costs.slice(4).map((c) => c.created)).toEqual([0, 0, 0, 0]);
  optimizer.dispose();
  tf.dispose([...trainable.values()]);
});

test('a second rate costs one dispatch more, and so do a penalty and a moving average', async () => {
  const trainable = lora();
  const rate = (name: string) => (name.includes('lora_B') ? 16 : 1);
  const optimizer = createOptimizer(trainable, { ...SETTINGS, ema_decay: 0.99 }, { rate });
  optimizer.setPenalty({ alpha: 0.1 });
  const costs = await costOf(trainable, optimizer);
  expect(costs.map((c) => c.dispatches)).toEqual(costs.map(() => ACCUMULATE + NORM + 1 + 3));
  expect(costs.slice(4).map((c) => c.created)).toEqual([0, 0, 0, 0]);
  optimizer.dispose();
  tf.dispose([...trainable.values()]);
});
