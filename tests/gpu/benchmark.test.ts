/** The benchmark, shorter than a CPU gets it: what it gives is valid, complete and right. */
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { type BenchmarkProgress, measuredSchema, stages } from '../../src/benchmark/result';
import { runBenchmark } from '../../src/engine/benchmark/run';
import { cpuPlan } from '../../src/engine/benchmark/shapes';
import { resolveRecipe } from '../../src/recipe/defaults';
import { withOwnDevice } from './open-device';

const plan = {
  ...cpuPlan,
  models: cpuPlan.models.slice(0, 2),
  sustained: { ...cpuPlan.sustained, seconds: 2, windowSeconds: 1 },
  // Far beyond what any machine needs: nothing may be left out here.
  deadline: 10_000,
};

test('measures the device within the schema, and its results are right', async () => {
  await withOwnDevice(async (engine) => {
    const seen: BenchmarkProgress[] = [];
    const { training } = resolveRecipe({ version: 1 });
    const result = v.parse(
      measuredSchema,
      await runBenchmark(engine, training, (progress) => void seen.push(progress), plan),
    );

    // Every part reports how far it is, and none claims more than there is.
    expect(new Set(seen.map(({ stage }) => stage))).toEqual(new Set(stages));
    for (const { done, total } of seen) expect(done).toBeLessThanOrEqual(total);

    // Two models in two formats each, with a step and an answer.
    expect(result.left_out).toEqual([]);
    expect(result.steps.map(({ model, format }) => `${model} ${format}`)).toEqual([
      'SmolLM2-135M, 2 layers bf16',
      'SmolLM2-135M, 2 layers nf4',
      'Qwen3-0.6B, 1 layer bf16',
      'Qwen3-0.6B, 1 layer q4_k',
    ]);
    expect(result.decode.length).toBe(4);
    expect(result.sustained!.tokens_per_second.length).toBe(2);
    for (const { dispatches, submits, js_ms, bytes } of result.steps) {
      expect(dispatches).toBeGreaterThan(20);
      expect(submits).toBeGreaterThan(0);
      expect(js_ms).toBeGreaterThan(0);
      expect(bytes).toBeGreaterThan(1e6);
    }

    // Sums of at most 768 products of float32 values of either sign.
    const compared = result.products.flatMap(({ error }) => (error === null ? [] : [error]));
    expect(compared.length).toBe(result.products.length);
    expect(Math.max(...compared)).toBeLessThan(1e-5);
    expect(new Set(result.products.map(({ kind }) => kind))).toEqual(new Set(['NT', 'NN', 'TN']));

    // transformers, PEFT and torch's AdamW: tests/oracle/make_benchmark_fixtures.py.
    const { losses, expected, agrees } = result.fingerprint;
    expected.forEach((loss, i) => {
      expect(Math.abs(losses[i]! - loss) / loss).toBeLessThan(2e-6);
    });
    expect(agrees).toBe(true);
  });
}, 600_000);

test('what there is no time for is named, and the rest is a result', async () => {
  await withOwnDevice(async (engine) => {
    const { training } = resolveRecipe({ version: 1 });
    const result = await runBenchmark(engine, training, () => {}, { ...plan, deadline: 0 });
    expect(result.products).toEqual([]);
    expect(result.steps).toEqual([]);
    expect(result.fingerprint.agrees).toBe(true);
    expect(result.left_out).toContainEqual({ what: 'Qwen3-0.6B, 1 layer q4_k', why: '0 seconds had passed.' });
  });
}, 600_000);
