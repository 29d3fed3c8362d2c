/** What a token costs once it is replayed, on a device that only counts. */
import { beforeAll, expect, test } from 'vitest';
import { llamaConfig } from '../../../bench/random-llama';
import { resolveRecipe } from '../../../src/recipe/defaults';
import { LIMITS, SMOL, shapesOf } from '../../labelled-device';
import { pretendQuick } from '../../quick-device';
import { defineWebGpuNames } from '../../webgpu-names';

// tfjs's backend needs WebGPU's names when it is loaded.
let engine: Awaited<ReturnType<typeof load>>;
const load = async () => ({
  ...(await import('../../../src/engine/models')),
  ...(await import('../../../src/engine/methods')),
  ...(await import('../../../src/engine/methods/method')),
  ...(await import('../../../src/engine/generation/generate')),
  ...(await import('../../../src/engine/webgpu/backend')),
  ...(await import('../../../src/engine/webgpu/counting-device')),
  ...(await import('../../../src/engine/webgpu/device')),
  ...(await import('../../../src/engine/webgpu/recording')),
  ...(await import('../../../src/engine/kernels/inputs')),
});
beforeAll(async () => {
  defineWebGpuNames();
  engine = await load();
  pretendQuick(engine.Recordings);
});

test.each([0, 0.8])('tokens of SmolLM2-135M with LoRA are replayed at temperature %s', async (temperature) => {
  const device = engine.createCountingDevice({ features: [], limits: LIMITS }, () => {});
  await engine.installDevice(device, { vendor: 'nvidia', architecture: 'ada' }, false);
  const { method: section } = resolveRecipe({ version: 1, method: { type: 'lora', target_modules: 'all-linear' } });
  const model = await engine.loadModel(llamaConfig(SMOL), shapesOf(SMOL), { shapesOnly: true });
  const method = await engine.createMethod(model, section, { seed: 1 });
  const costs: (typeof engine.counters)[] = [];
  let before = { ...engine.counters };
  await engine.generate(
    model,
    method.hooks(engine.inference()),
    Int32Array.of(1, 2, 3, 4, 5),
    { maxNewTokens: 9, temperature, topP: 1, seed: 3, stopTokenIds: [] },
    () => {
      const cost = { ...engine.counters };
      for (const name of Object.keys(cost) as (keyof typeof cost)[]) cost[name] -= before[name];
      costs.push(cost);
      before = { ...engine.counters };
    },
  );
  expect(costs).toHaveLength(9);
  // After the prompt and two tokens that are recorded. This device gives ones for whatever is read: no token that is drawn by chance
  // is sure then, and the logits are read as well.
  for (const cost of costs.slice(4)) {
    expect(cost).toMatchObject({ replays: 1, bindGroups: 0, buffers: temperature > 0 ? 1 : 0 });
    expect(cost.dispatches).toBe(costs[2]!.dispatches);
  }
  expect(costs[8]!.submits).toBeLessThanOrEqual(2);
  for (const thing of [method, model]) thing.dispose();
  engine.disposeInputs();
});
