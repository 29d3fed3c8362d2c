/** What is tried before a run, in the engine worker: from a job to what was found, with the model and its adapter as before. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TokenizedExample } from '../../../src/data/types';
import { textLogits } from '../../../src/engine/generation/generate';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { inference } from '../../../src/engine/methods/method';
import { loadModel } from '../../../src/engine/models';
import type { LanguageModel } from '../../../src/engine/models/model';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import { openMethod } from '../../../src/workers/engine/adapters';
import type { TrainJob } from '../../../src/workers/engine/api';
import { findRate, testDrive } from '../../../src/workers/engine/trial';
import { fixtureJson, fixtureTensors } from '../../fixture-files';
import { runOf } from '../storage/helpers';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const END = 4;
const never = () => false;
const quiet = () => {};
const idsOf = (row: number, length: number) => Int32Array.from({ length }, (_, i) => 6 + ((row * 13 + i * 5) % 40));

/** An answer after two tokens of prompt; `end` false cuts it, `learned` false masks it. */
function answer(row: number, { end = true, learned = true } = {}): TokenizedExample {
  const ids = end ? Int32Array.of(...idsOf(row, 6), END) : idsOf(row, 6);
  const labels = ids.map((id, i) => (learned && i > 1 ? id : -100));
  return { kind: 'next_token', row, ids, labels, starts: null, truncatedBy: 0 };
}

const jobOf = (input: Partial<RecipeInput>, changes: Partial<TrainJob> = {}): TrainJob => ({
  run: runOf('a run'),
  recipe: resolveRecipe({
    version: 1,
    ...input,
    training: {
      ...{ per_device_train_batch_size: 1, gradient_accumulation_steps: 4, learning_rate: 1e-2, seed: 7 },
      ...input.training,
    },
  }),
  train: Array.from({ length: 8 }, (_, row) => answer(row)),
  ...{ validation: [], maxLength: 16, samplePrompts: [], stopTokenIds: [END], padTokenId: 0, maskTokenId: 5 },
  ...{
    task: null,
    baseText: [],
    initText: new Int32Array(),
    initAdapter: null,
    checkpointing: false,
    together: 1,
    resume: false,
  },
  ...changes,
});
const lora = { method: { type: 'lora', r: 3 }, objective: { type: 'sft' } } as const;

/** Runs `body` with a model whose output must be the same afterwards, with an adapter on it or without. */
async function untouched<T>(body: (base: LanguageModel, source: object) => Promise<T>): Promise<T> {
  const { source } = await fixtureTensors('llama/gqa-tied/model.safetensors');
  const before = tf.memory().numTensors;
  const base = await loadModel(await fixtureJson('llama/gqa-tied/config.json'), source);
  const values = new Map<string, { shape: number[]; data: Float32Array }>();
  const section = resolveRecipe({ version: 1, method: { type: 'lora', r: 2 } }).method;
  const adapter = await openMethod(base, section, { objective: 'sft', task: null, seed: 3 });
  // A new adapter equals the base: this one has been trained.
  for (const [name, tensor] of adapter.method.trainable) {
    const data = Float32Array.from({ length: tensor.size }, (_, i) => 0.1 * Math.sin(i));
    values.set(name, { shape: tensor.shape, data });
  }
  adapter.dispose();
  const open = await openMethod(base, section, { objective: 'sft', task: null, seed: 3, values });
  const outputs = async () => [
    await textLogits(open.model, open.method.hooks(inference(1)), idsOf(1, 7)),
    await textLogits(base, {}, idsOf(1, 7)),
  ];
  const first = await outputs();
  expect(first[0]).not.toEqual(first[1]);
  const result = await body(base, { source });
  expect(await outputs()).toEqual(first);
  open.dispose();
  base.dispose();
  disposeInputs();
  expect(tf.memory().numTensors).toBe(before);
  return result;
}

describe('a test drive', () => {
  test('measures a step and counts what is learned; model, adapter and memory are as before', async () => {
    const parts: string[] = [];
    const drive = await untouched((base, head) =>
      testDrive(base, head, jobOf(lora), [], never, (done, total) => parts.push(`${done}/${total}`)),
    );
    expect(parts).toEqual(['0/3', '1/3', '2/3', '3/3']);
    expect(drive).toMatchObject({ finite: true, learned: { examples: 8, masked: 0, endless: 0 }, quicker: null });
    expect(drive.gradNorm).toBeGreaterThan(0);
    expect(drive.lossAfter).not.toBe(drive.lossBefore);
    expect(drive.tokensPerSecond).toBeGreaterThan(0);
  });

  test('a masked example and an answer without its end are found', async () => {
    const train = [answer(1), answer(2, { end: false }), answer(3, { learned: false }), answer(4)];
    const drive = await untouched((base, head) => testDrive(base, head, jobOf(lora, { train }), [], never, quiet));
    expect(drive.learned).toEqual({ examples: 4, masked: 1, endless: 1 });
  });

  test('nothing but masked examples reach the adapter with no gradient', async () => {
    const train = Array.from({ length: 8 }, (_, row) => answer(row, { learned: false }));
    const drive = await untouched((base, head) => testDrive(base, head, jobOf(lora, { train }), [], never, quiet));
    expect(drive).toMatchObject({ gradNorm: 0, learned: { masked: 8 } });
  });

  test('methods that train the model itself leave it alone too', async () => {
    const full = jobOf({ method: { type: 'full' }, objective: { type: 'sft' } });
    const drive = await untouched((base, head) => testDrive(base, head, full, [], never, quiet));
    expect(drive.gradNorm).toBeGreaterThan(0);
  });

  test('other divisions of the step are measured as well', async () => {
    const parts: number[] = [];
    const drive = await untouched((base, head) =>
      testDrive(base, head, jobOf(lora), [2, 4], never, (done) => parts.push(done)),
    );
    expect(parts.at(-1)).toBe(9);
    // Whether one of them is quicker is this machine's matter; if so, it is the same rows.
    if (drive.quicker) expect(drive.quicker.batchSize * drive.quicker.accumulation).toBe(4);
  });

  test('what is stopped is cancelled and leaves nothing', async () => {
    await untouched(async (base, head) => {
      let parts = 0;
      const driving = testDrive(
        base,
        head,
        jobOf(lora),
        [],
        () => parts === 2,
        () => parts++,
      );
      await expect(driving).rejects.toMatchObject({ code: 'cancelled' });
    });
  });
});

test('a rate search passes its points on, suggests a rate and leaves the model as before', async () => {
  const rates: number[] = [];
  const found = await untouched((base, head) =>
    findRate(base, head, jobOf(lora), never, ({ rate }) => rates.push(rate)),
  );
  expect(rates[0]).toBe(1e-6);
  expect(found.points.map(({ rate }) => rate)).toEqual(rates);
  expect(found.suggested === null || found.suggested.rate < 1).toBe(true);
});
