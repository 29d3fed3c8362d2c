/** Compares the planner's forecast for a run, from its dry run, with what the same run takes on a device. */
import { afterAll, expect, test } from 'vitest';
import { llamaConfig, randomSource, type Shape, tensorShape } from '../../bench/random-llama';
import { createBatchSource } from '../../src/data/batches';
import type { TokenizedExample } from '../../src/data/types';
import { loadModel } from '../../src/engine/models';
import { assembleRun } from '../../src/engine/run/assemble';
import { cheapMemory } from '../../src/engine/run/checkpointing';
import { EVERY_OTHER } from '../../src/engine/run/dry-answers';
import { freshState, trainLoop } from '../../src/engine/run/loop';
import { forgetGpuPeak, gpuBytes } from '../../src/engine/webgpu/backend';
import { compileShaders, watchShaders } from '../../src/engine/webgpu/pipelines';
import { familyOf } from '../../src/families';
import { paceOf } from '../../src/objectives';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { RecipeInput } from '../../src/recipe/types';
import { connect } from '../../src/rpc/rpc';
import { exampleSizes, planRun, type RunPlan } from '../../src/session/plan-run';
import { Planner } from '../../src/session/planner';
import { report } from '../../src/workers/engine/device-report';
import type { PlanApi } from '../../src/workers/plan/service';
import { withOwnDevice } from './open-device';

const planner = new Planner(() =>
  connect<PlanApi>(new Worker(new URL('../../src/workers/plan/plan-worker.ts', import.meta.url), { type: 'module' }), {
    name: 'planner',
  }),
);
afterAll(() => planner.close());

const DEEP: Shape = { hidden: 64, layers: 8, heads: 4, kvHeads: 2, intermediate: 128, vocab: 256 };
const WIDE: Shape = { hidden: 128, layers: 2, heads: 4, kvHeads: 4, intermediate: 512, vocab: 2048 };

/** Lengths from 20 to 64 tokens; the first third of each is a prompt. */
const examples = (count: number): TokenizedExample[] =>
  Array.from({ length: count }, (_, row) => {
    const ids = Int32Array.from({ length: 20 + ((row * 37) % 45) }, (_, i) => 1 + ((row + i) % 200));
    const labels = ids.map((id, i) => (i < ids.length / 3 ? -100 : id));
    return { kind: 'next_token', row, ids, labels, starts: null, truncatedBy: 0 };
  });

/** What a run takes beside what the planner says: `given` is the recipe's method, objective and training. */
async function compared(
  shape: Shape,
  given: Partial<Pick<RecipeInput, 'method' | 'objective' | 'training'>>,
  train: TokenizedExample[],
  validation: TokenizedExample[],
) {
  const recipe = resolveRecipe({ version: 1, ...given, training: { max_steps: 3, ...given.training } });
  const { training, objective: section } = recipe;
  const config = { ...llamaConfig(shape), max_position_embeddings: 1024 };
  let result: { forecast: RunPlan; peak: number; last: number } | undefined;
  await withOwnDevice(async (engine) => {
    const family = familyOf(config);
    const tensors = family
      .tensors(family.readConfig(config))
      .filter(({ optional }) => !optional)
      .map(({ name }) => [name, { dtype: 'BF16' as const, shape: tensorShape(name, shape) }] as [string, never]);
    const forecast = await planRun(
      { planner, device: report(engine), budget: null, model: { config, tensors } },
      recipe,
      {
        ...exampleSizes({ train, validation, task: null }),
        prompts: [],
      },
    );

    await compileShaders(engine.device, await planner.shaders(forecast.run));
    const late: string[] = [];
    watchShaders(({ key }) => late.push(key));
    forgetGpuPeak();
    const model = await loadModel(config, randomSource(shape));
    const run = await assembleRun(model, {
      ...{ method: recipe.method, objective: section, training, task: null, maskTokenId: null },
      ...{ values: () => undefined, continued: null, baseText: null },
    });
    const { optimizer, objective } = run;
    const pace = paceOf(section, training);
    const batches = createBatchSource(train, validation, {
      batchSize: training.per_device_train_batch_size,
      accumulation: training.gradient_accumulation_steps,
      shuffle: recipe.dataset.shuffle,
      seed: training.seed,
      padTokenId: 0,
      pace,
    });
    const steps: number[] = [];
    await trainLoop(
      {
        ...{ ...run.attached, objective, optimizer, batches, settings: training, totalSteps: 3 },
        ...{ checkpointing: training.gradient_checkpointing === true },
        // No token ends an answer: all of them are as long as they may be.
        ...{ pace, tokens: { stop: [], pad: 0 }, outside: EVERY_OTHER },
      },
      freshState(),
      {
        pauseRequested: () => false,
        stopRequested: () => false,
        takeSaveRequest: () => false,
        resumed: async () => {},
      },
      {
        phase: () => {},
        step: () => steps.push(gpuBytes().allocated),
        evaluation: () => {},
        samples: async () => {},
        checkpoint: async () => {
          await optimizer.save();
        },
        saved: () => {},
      },
    );
    const { peak } = gpuBytes();
    run.dispose();
    model.dispose();
    watchShaders(null);
    // The head takes as many rows as a batch has labels, and other numbers of rows may have other tiles than the most.
    expect(late.length, `compiled in the middle of a step: ${late}`).toBeLessThanOrEqual(1);
    result = { forecast, peak, last: steps.at(-1)! };
  });
  return result!;
}

test.each([
  ['eight thin blocks', DEEP, false, 2],
  ['eight thin blocks, each computed twice', DEEP, true, 2],
  ['two wide blocks and a large vocabulary', WIDE, false, 4],
])('%s: the forecast is right', async (_name, shape, checkpointing, rows) => {
  const training = {
    per_device_train_batch_size: rows,
    gradient_accumulation_steps: 2,
    gradient_checkpointing: checkpointing,
  };
  const { forecast, peak, last } = await compared(shape, { training }, examples(3 * 2 * rows), examples(2));
  // The promise is 15 %; here the order of the batches alone makes a difference.
  expect(Math.abs(peak / forecast.bytes - 1)).toBeLessThan(0.05);
  // Between saves, a run holds less by one copy of the adapter.
  expect(Math.abs((last + forecast.parts.adapter) / forecast.bytes - 1)).toBeLessThan(0.05);
  expect(forecast.parts.activations).toBeGreaterThan(forecast.bytes / 5);
});

test.each([
  ['full fine-tuning with a tied table, each block computed twice', { type: 'full' }, true],
  ['an adapter and the tied table', { type: 'lora', r: 4, modules_to_save: ['embed_tokens'] }, false],
] as [string, RecipeInput['method'], boolean][])(
  '%s: the forecast is right, and the gradient of the table is there once',
  async (_name, method, checkpointing) => {
    const training = {
      per_device_train_batch_size: 2,
      gradient_accumulation_steps: 2,
      gradient_checkpointing: checkpointing,
    };
    const { forecast, peak } = await compared(WIDE, { method, training }, examples(3 * 2 * 2), examples(2));
    console.info(`${peak} bytes measured, ${forecast.bytes} forecast`, forecast.parts);
    expect(Math.abs(peak / forecast.bytes - 1)).toBeLessThan(0.05);
    // The pool keeps logits of 128 rows in training and of fewer in the evaluation; a table is as large as 128 rows of logits.
    expect(forecast.parts.logits).toBeLessThan(2 * 4 * WIDE.vocab * 128);
  },
);

/** Texts of exactly so many tokens. */
const ofLength = (count: number, length: number): TokenizedExample[] =>
  examples(count).map((example, row) => {
    const ids = Int32Array.from({ length }, (_, i) => 1 + ((row + i) % 200));
    return { ...example, kind: 'next_token', ids, labels: ids, starts: null };
  });

test('longer texts: the forecasts are right, and what is cheap to compute again is freed', async () => {
  const training = { per_device_train_batch_size: 1, gradient_accumulation_steps: 1, gradient_checkpointing: false };
  let all = 0;
  for (const length of [128, 256, 512]) {
    const { forecast, peak } = await compared(DEEP, { training }, ofLength(3, length), []);
    console.info(`${length} tokens: ${peak} bytes measured, ${forecast.bytes} forecast`);
    expect(Math.abs(peak / forecast.bytes - 1)).toBeLessThan(0.05);
    all = peak;
  }
  // Without room for them, two norms' outputs and one of the feed-forward's width are computed again in each block.
  const own = cheapMemory.pass;
  cheapMemory.pass = 0;
  try {
    const { peak } = await compared(DEEP, { training }, ofLength(3, 512), []);
    const cheap = 512 * 4 * (2 * DEEP.hidden + DEEP.intermediate);
    console.info(`512 tokens: ${peak} bytes without what is cheap to compute again`);
    expect(all - peak).toBeGreaterThan((DEEP.layers / 2) * cheap);
    expect(all - peak).toBeLessThanOrEqual(DEEP.layers * cheap);
  } finally {
    cheapMemory.pass = own;
  }
});

/** Answers of different lengths behind prompts of different lengths. */
const pairs = (count: number): TokenizedExample[] =>
  Array.from({ length: count }, (_, row) => {
    const promptLength = 8 + ((row * 5) % 9);
    const ids = (answer: number) => Int32Array.from({ length: promptLength + answer }, (_, i) => 1 + ((row + i) % 200));
    const [chosen, rejected] = [ids(6 + ((row * 37) % 40)), ids(6 + ((row * 23) % 30))];
    return { kind: 'pair', row, ids: chosen, rejected, promptLength, margin: 0, truncatedBy: 0 };
  });

const prompts = (count: number): TokenizedExample[] =>
  Array.from({ length: count }, (_, row) => {
    const ids = Int32Array.from({ length: 10 + ((row * 7) % 6) }, (_, i) => 1 + ((row + i) % 200));
    return { kind: 'prompt', row, ids, prompt: '', columns: {}, truncatedBy: 0 };
  });

test('pairs with a reference: the forecast is right', async () => {
  const training = { per_device_train_batch_size: 2, gradient_accumulation_steps: 2 };
  const { forecast, peak } = await compared(DEEP, { objective: { type: 'dpo' }, training }, pairs(12), pairs(2));
  expect(Math.abs(peak / forecast.bytes - 1)).toBeLessThan(0.1);
});

test('prompts that are answered during training: the forecast is right', async () => {
  const given = {
    objective: {
      type: 'grpo',
      num_generations: 4,
      max_completion_length: 32,
      beta: 0.1,
      rewards: [{ type: 'length' }],
    } as never,
    training: { per_device_train_batch_size: 2, gradient_accumulation_steps: 4 },
  };
  const { forecast, peak } = await compared(DEEP, given, prompts(6), prompts(2));
  expect(Math.abs(peak / forecast.bytes - 1)).toBeLessThan(0.1);
  expect(forecast.parts.cache).toBeGreaterThan(0);
});
