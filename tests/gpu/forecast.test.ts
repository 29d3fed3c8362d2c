/** Compares the planner's forecast for a run, from its dry run, with what the same run takes on a device. */
import { afterAll, expect, test } from 'vitest';
import { llamaConfig, randomSource, type Shape, tensorShape } from '../../bench/random-llama';
import { createBatchSource } from '../../src/data/batches';
import type { TokenizedExample } from '../../src/data/types';
import { createLora } from '../../src/engine/methods/lora';
import { loadModel } from '../../src/engine/models';
import { sft } from '../../src/engine/objectives/sft';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { freshState, trainLoop } from '../../src/engine/run/loop';
import { forgetGpuPeak, gpuBytes } from '../../src/engine/webgpu/backend';
import { WANTED_LIMITS } from '../../src/engine/webgpu/device';
import { familyOf } from '../../src/families';
import type { LoraMethod } from '../../src/methods/lora';
import { defaultRecipe } from '../../src/recipe/defaults';
import { connect } from '../../src/rpc/rpc';
import type { DeviceReport } from '../../src/session/api';
import { exampleSizes, planRun } from '../../src/session/plan-run';
import { Planner } from '../../src/session/planner';
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

test.each([
  ['eight thin blocks', DEEP, false, 2],
  ['eight thin blocks, each computed twice', DEEP, true, 2],
  ['two wide blocks and a large vocabulary', WIDE, false, 4],
])('%s: the forecast is right', async (_name, shape, checkpointing, rows) => {
  const { method, ...recipe } = defaultRecipe();
  const lora = method as LoraMethod;
  const training = {
    ...recipe.training,
    max_steps: 3,
    per_device_train_batch_size: rows,
    gradient_accumulation_steps: 2,
    gradient_checkpointing: checkpointing,
  };
  const config = llamaConfig(shape);
  const train = examples(3 * 2 * rows);
  const validation = examples(2);
  await withOwnDevice(async ({ device, vendor, architecture, description, software, features }) => {
    const report: DeviceReport = {
      available: true,
      vendor,
      architecture,
      description,
      software,
      features,
      limits: Object.fromEntries(WANTED_LIMITS.map((name) => [name, device.limits[name]])),
      maxBufferSize: device.limits.maxBufferSize,
      maxStorageBufferBindingSize: device.limits.maxStorageBufferBindingSize,
      problem: null,
    };
    const family = familyOf(config);
    const tensors = family
      .tensors(family.readConfig(config))
      .filter(({ optional }) => !optional)
      .map(({ name }) => [name, { dtype: 'BF16' as const, shape: tensorShape(name, shape) }] as [string, never]);
    const forecast = await planRun(
      { planner, device: report, budget: null, model: { config, tensors } },
      { ...recipe, method: lora, training },
      { ...exampleSizes({ train, validation, task: null }), prompts: [] },
    );

    forgetGpuPeak();
    const model = await loadModel(config, randomSource(shape));
    const trained = createLora(model, lora, 1);
    const optimizer = createOptimizer(trained.trainable, training);
    const batches = createBatchSource(train, validation, {
      batchSize: rows,
      accumulation: 2,
      shuffle: recipe.dataset.shuffle,
      seed: training.seed,
      padTokenId: 0,
    });
    const steps: number[] = [];
    await trainLoop(
      { model, method: trained, objective: sft, optimizer, batches, settings: training, totalSteps: 3, checkpointing },
      freshState(),
      { pauseRequested: () => false, stopRequested: () => false, resumed: async () => {} },
      {
        phase: () => {},
        step: () => steps.push(gpuBytes().allocated),
        evaluation: () => {},
        samples: async () => {},
        checkpoint: async () => {
          await optimizer.save();
        },
      },
    );
    const { peak } = gpuBytes();
    optimizer.dispose();
    trained.dispose();
    model.dispose();
    // The promise is 15 %; here the order of the batches alone makes a difference.
    expect(Math.abs(peak / forecast.bytes - 1)).toBeLessThan(0.05);
    // Between saves, a run holds less by one copy of the adapter.
    expect(Math.abs((steps.at(-1)! + forecast.parts.adapter) / forecast.bytes - 1)).toBeLessThan(0.05);
    expect(forecast.parts.activations).toBeGreaterThan(forecast.bytes / 5);
  });
});
