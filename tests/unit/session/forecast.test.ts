import { describe, expect, it } from 'vitest';
import type { Recipe } from '../../../src/recipe/types';
import { GpuMemory } from '../../../src/session/gpu-memory';
import { until } from '../../support/time';
import { loraFiles } from './adapter-folder';
import { freshStages, open, reopen } from './fresh-stage';
import { memoryStore, recipe } from './stage';

freshStages();

describe('a forecast', () => {
  it('has numbers and no blockers if the run can start', async () => {
    await open.session.openModel('builtin:stories');
    const { memory, totalBytes, ...figures } = await open.session.forecast(recipe());
    expect(figures).toMatchObject({
      blockers: [],
      // 225 examples, three epochs, eight per step.
      totalSteps: 87,
      verdict: 'fits',
      advice: [],
      gradientCheckpointing: false,
      // All of the default recipe's, which fit comfortably.
      microBatchesTogether: 4,
      budget: { bytes: 4 * 2 ** 30 },
      seconds: null,
    });
    expect(Object.values(memory).reduce((sum, part) => sum + part, 0)).toBe(totalBytes);
    // Two bytes per weight, except for the norms.
    expect(memory.weights / (2 * 1_967_808)).toBeCloseTo(1, 2);
    expect(memory.adapter).toBe(4 * figures.trainableParameters);
  });

  it('is blocked where a recipe wants 16-bit products and the shaders have no such floats', async () => {
    const { model } = recipe();
    await open.session.openModel(model.source);
    const wanted = recipe({ training: { fp16: true } });
    const lacks = { code: 'bad_recipe', where: 'training.fp16', message: expect.stringContaining('shader-f16') };
    expect((await open.session.forecast(wanted)).blockers).toMatchObject([lacks]);
    await expect(open.session.train(wanted)).rejects.toMatchObject(lacks);
    expect(await open.session.runs()).toEqual([]);
    expect(open.engine.stints).toHaveLength(0);
  });

  it('of a run short of memory is tight, uses checkpointing and gives advice', async () => {
    // The budget is half of this, 21 MB; the run needs 31 MB, or 24 MB with checkpointing.
    reopen(undefined, new GpuMemory(memoryStore(), 0.04));
    await open.session.openModel('builtin:stories');
    const { verdict, gradientCheckpointing, advice, totalBytes } = await open.session.forecast(recipe());
    expect({ verdict, gradientCheckpointing }).toEqual({ verdict: 'tight', gradientCheckpointing: true });
    const labels = advice!.map(({ label }) => label);
    expect(labels).toContain('Batch size 1, gradient accumulation 8');
    expect(labels).not.toContain('Turn on gradient checkpointing');
    for (const { saves } of advice!) expect(saves).toBeGreaterThan(0.02 * totalBytes);
    const running = open.session.train(recipe());
    const { job, end } = await until(() => open.engine.stints[0]);
    expect(job.checkpointing).toBe(true);
    end();
    await running;
  });

  it('gives a run the shaders that it compiles first: on a card, since a CPU gains nothing by it', async () => {
    const shadersOf = async (software: boolean) => {
      reopen();
      await open.session.openModel('builtin:stories');
      open.engine.device = { ...open.engine.device, software };
      const running = open.session.train(recipe());
      const { job, end } = await until(() => open.engine.stints[0]);
      end();
      await running;
      return job.shaders;
    };
    expect(await shadersOf(true)).toEqual([]);
    const shaders = (await shadersOf(false))!;
    expect(shaders.length).toBeGreaterThan(30);
    expect(new Set(shaders.map(({ key }) => key)).size).toBe(shaders.length);
    for (const { code } of shaders) expect(code).toContain('fn main(');
  });

  it('learns from a run that ran out of memory', async () => {
    await open.session.openModel('builtin:stories');
    const alone = { per_device_train_batch_size: 8, gradient_accumulation_steps: 1 };
    const before = await open.session.forecast(recipe({ training: alone }));
    const failing = open.session.train(recipe({ training: alone }));
    (await until(() => open.engine.stints[0])).fail({ code: 'gpu_out_of_memory', message: 'No room.' });
    expect((await failing).status).toBe('interrupted');
    const after = await open.session.forecast(recipe({ training: { ...alone, gradient_checkpointing: false } }));
    expect(after).toMatchObject({ totalBytes: before.totalBytes, verdict: 'too_big' });
    // Micro-batches that were taken together need less one by one.
    const apart = { per_device_train_batch_size: 2, gradient_accumulation_steps: 4, gradient_checkpointing: false };
    expect((await open.session.forecast(recipe({ training: apart }))).totalBytes).toBeLessThan(before.totalBytes / 2);
    expect(after.budget!.how).toContain('ran out of memory here');
    // The estimate may be wrong, so a person may still try.
    expect(after.blockers).toEqual([]);
  });

  it('of a run that continues from an adapter uses the adapter’s rank and targets', async () => {
    await open.session.openModel('builtin:stories');
    await open.session.importAdapter(loraFiles('a'));
    const plan = await open.session.forecast(recipe({ method: { type: 'lora', init_adapter: 'file:a' } }));
    expect(plan.blockers).toEqual([]);
    expect(plan.trainableParameters).toBe(4 * (192 + 192));
    const gone = await open.session.forecast(recipe({ method: { type: 'lora', init_adapter: 'file:b' } }));
    expect(gone.blockers).toMatchObject([{ code: 'bad_adapter', where: 'method.init_adapter' }]);
  });

  it('of a run that continues from an adapter for a deeper model refuses it in the words of adapters', async () => {
    await open.session.openModel('builtin:stories');
    await open.session.importAdapter(loraFiles('deep', 'model.layers.9.self_attn.q_proj'));
    const continued = recipe({ method: { type: 'lora', init_adapter: 'file:deep' } });
    const [blocker, ...others] = (await open.session.forecast(continued)).blockers;
    expect(others).toEqual([]);
    expect(blocker).toMatchObject({ code: 'bad_adapter', where: expect.stringContaining('layers.9.self_attn.q_proj') });
    expect(blocker!.message).toContain('a llama with 4 layers');
    expect(blocker!.action).toContain('someone/stories');
    await expect(open.session.train(continued)).rejects.toMatchObject({ code: 'bad_adapter' });
  });

  it('refuses what exceeds the device’s limits, and so does a run', async () => {
    const limits = { ...open.engine.device.limits, maxStorageBufferBindingSize: 2 ** 18 };
    open.engine.device = { ...open.engine.device, limits };
    await open.session.openModel('builtin:stories');
    const { blockers, verdict } = await open.session.forecast(recipe());
    expect(verdict).toBe('too_big');
    expect(blockers).toMatchObject([{ code: 'gpu_out_of_memory', where: 'GPU' }]);
    expect(blockers[0]!.message).toMatch(/needs a single buffer( binding)? of [\d.]+ [kM]B/);
    await expect(open.session.train(recipe())).rejects.toMatchObject({ code: 'gpu_out_of_memory' });
    expect(open.engine.stints).toEqual([]);
    expect(await open.session.runs()).toEqual([]);
  });

  it('lists everything that blocks the run', async () => {
    const blockers = async (changed: Recipe) => (await open.session.forecast(changed)).blockers;
    expect(await blockers(recipe())).toMatchObject([{ code: 'bad_model' }]);
    await open.session.openModel('builtin:stories');
    const wrong = recipe({ method: { type: 'lora', target_modules: ['query_key_value'] } });
    expect(await blockers(wrong)).toMatchObject([{ where: 'method.target_modules' }]);
    const impossible = recipe();
    impossible.training.max_steps = 0;
    expect(await blockers(impossible)).toMatchObject([{ where: 'training.max_steps' }]);
    expect(await blockers(recipe({ dataset: { source: 'file:gone.csv' } }))).toMatchObject([{ code: 'bad_data' }]);
  });
});
