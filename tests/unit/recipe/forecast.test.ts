import { expect, test } from 'vitest';
import { defaultRecipe } from '../../../src/recipe/defaults';
import { stepsPerEpoch, totalSteps } from '../../../src/recipe/forecast';

const { training, objective } = defaultRecipe();

test('steps are counted as in transformers', () => {
  const steps = (examples: number, batch: number, accumulation: number) =>
    stepsPerEpoch(examples, { per_device_train_batch_size: batch, gradient_accumulation_steps: accumulation });
  expect(steps(100, 2, 4)).toBe(13); // 50 micro-batches; the last step has two
  expect(steps(101, 2, 4)).toBe(13);
  expect(steps(1, 8, 8)).toBe(1);
  expect(steps(0, 2, 4)).toBe(0);
  expect(totalSteps(100, { objective, training })).toBe(39);
  expect(totalSteps(100, { objective, training: { ...training, num_train_epochs: 0.5 } })).toBe(7);
  expect(totalSteps(100, { objective, training: { ...training, max_steps: 5 } })).toBe(5);
});
