/** How many dispatches a token of an answer takes, kernel by kernel, on a device that only counts. */
import { beforeAll, expect, test } from 'vitest';
import { llamaConfig } from '../../../bench/random-llama';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import { type Counts, kindsOf, LIMITS, labelled, SMOL, shapesOf } from '../../labelled-device';
import { defineWebGpuNames } from '../../webgpu-names';

// tfjs's backend needs WebGPU's names when it is loaded.
let engine: Awaited<ReturnType<typeof load>>;
const load = async () => ({
  ...(await import('../../../src/engine/models')),
  ...(await import('../../../src/engine/methods')),
  ...(await import('../../../src/engine/methods/method')),
  ...(await import('../../../src/engine/generation/generate')),
  ...(await import('../../../src/engine/generation/generate-batch')),
  ...(await import('../../../src/engine/webgpu/device')),
  ...(await import('../../../src/engine/kernels/inputs')),
});
beforeAll(async () => {
  defineWebGpuNames();
  engine = await load();
});

const LORA = { type: 'lora', r: 16, lora_alpha: 16, target_modules: 'all-linear' } as const;

interface Token {
  method: RecipeInput['method'] | null;
  software: boolean;
  /** Answers at once; one is streamed. */
  rows?: number;
  limits?: Record<string, number>;
}

/** The dispatches of the third token by the first word of the shader's label. */
async function tokenOf({ method: given, software, rows, limits = LIMITS }: Token) {
  const counts: Counts = { dispatches: new Map(), copies: 0, clears: 0 };
  await engine.installDevice(labelled(counts, limits), { vendor: 'nvidia', architecture: 'ada' }, software);
  const model = await engine.loadModel(llamaConfig(SMOL), shapesOf(SMOL), { shapesOnly: true });
  const method =
    given && (await engine.createMethod(model, resolveRecipe({ version: 1, method: given }).method, { seed: 1 }));
  const hooks = method?.hooks(engine.inference()) ?? {};
  const prompt = Int32Array.from({ length: 20 }, (_, i) => i);
  const sampling = { temperature: 1, topP: 0.9, seed: 1, maxNewTokens: 3, stopTokenIds: [] };
  let tokens = 0;
  const onToken = () => {
    if (++tokens === 2 * (rows ?? 1)) counts.dispatches.clear();
  };
  if (rows) {
    const prompts = Array<Int32Array>(rows).fill(prompt);
    const options = { ...sampling, topK: 0, draw: 0 };
    await engine.generateBatch(model, hooks, prompts, options, () => false, { onToken, over: () => false });
  } else {
    await engine.generate(model, hooks, prompt, sampling, onToken);
  }
  method?.dispose();
  model.dispose();
  engine.disposeInputs();
  return {
    kinds: kindsOf(counts.dispatches),
    all: [...counts.dispatches.values()].reduce((sum, count) => sum + count, 0),
  };
}

// A layer: q, k and v; rotary positions that store keys and values; attention; o; gate and up; down. With LoRA, q is apart from k and
// v, since ten buffers are bound at most. Then the embedding, the last norm, the head and the draw.
test.each([
  [null, 6 * 30 + 4],
  [LORA, 7 * 30 + 4],
] as const)('a token of one answer and of four at once with %o on a GPU: %i dispatches', async (method, wanted) => {
  for (const rows of [undefined, 4]) {
    const { kinds, all } = await tokenOf({ method, software: false, rows });
    expect(all).toBe(wanted);
    expect(kinds).toMatchObject({
      ...{ few_rows: wanted - 63, rotary_store: 30, attention_few: 30, rms_norm: 1, embedding: 1 },
      [rows ? 'sample_tokens' : 'draw_ranked']: 1,
    });
  }
});

test('where shaders bind eight buffers, keys are stored apart, and so are gate and up with LoRA computed', async () => {
  const limits = { ...LIMITS, maxStorageBuffersPerShaderStage: 8 };
  const base = await tokenOf({ method: null, software: false, limits });
  expect(base.kinds).toMatchObject({ few_rows: 121, rotary: 30, store_rows: 30 });
  const lora = await tokenOf({ method: LORA, software: false, limits });
  // Three for q, k and v, two for gate and up, and one for the activation.
  expect(lora.kinds).toMatchObject({ few_rows: 7 * 30 + 1, glu: 30, rotary: 30, store_rows: 30 });
});

// A CPU computes each product, norm and step of attention apart, but stores what it rotates at once.
test.each([
  [null, 11 * 30 + 4],
  [LORA, 15 * 30 + 4],
] as const)('a token with %o in software: %i dispatches', async (method, wanted) => {
  const { kinds, all } = await tokenOf({ method, software: true });
  expect(all).toBe(wanted);
  expect(kinds).toMatchObject({ rotary_store: 30, attention_scores: 30, rms_norm: 61 });
});
