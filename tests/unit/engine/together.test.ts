/** Micro-batches that go through the model at once take the step that they take one by one. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { relativeError } from '../../fixture-files';
import { withRun } from '../../parity/tiny-run';

beforeAll(async () => void (await tf.setBackend('cpu')));

const ran = (options: Parameters<typeof withRun>[0]) =>
  withRun({ totalSteps: 4, ...options }, async ({ start, told, state }) => {
    await start();
    return { told, state, tensors: told.checkpoints.at(-1)!.tensors };
  });

test('losses, norms and what is learned are the same but for rounding, in fewer passes', async () => {
  const apart = await ran({});
  const together = await ran({ together: 2 });
  expect(apart.state).toMatchObject({ step: 4, pass: 8 });
  // In one of the steps, a long text would have the others padded too far.
  expect(together.state).toMatchObject({ step: 4, pass: 5, tokens: apart.state.tokens });
  apart.told.steps.forEach(({ loss, gradNorm }, i) => {
    const other = together.told.steps[i]!;
    expect(Math.abs(other.loss / loss - 1), `loss of step ${i + 1}`).toBeLessThan(1e-5);
    expect(Math.abs(other.gradNorm / gradNorm - 1), `norm of step ${i + 1}`).toBeLessThan(1e-3);
  });
  for (const [name, { data }] of apart.tensors) {
    if (name.startsWith('adapter/'))
      expect(relativeError(together.tensors.get(name)!.data, data), name).toBeLessThan(1e-2);
  }
});

test('a run that takes them together goes on bit for bit, dropout included', async () => {
  const options = { together: 2, dropout: 0.2, settings: { save_steps: 2 } };
  const whole = await ran(options);
  const checkpoint = whole.told.checkpoints.find(({ state }) => state.step === 2)!;
  expect(checkpoint).toBeDefined();
  const resumed = await withRun({ totalSteps: 4, ...options }, async ({ start, restore, told }) => {
    restore(checkpoint);
    await start();
    return told.checkpoints.at(-1)!.tensors;
  });
  expect(resumed).toEqual(whole.tensors);
});
