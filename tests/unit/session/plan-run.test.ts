import { describe, expect, test } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { TokenizedExample } from '../../../src/data/types';
import type { LoraMethod } from '../../../src/methods/lora';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import type { Connection } from '../../../src/rpc/rpc';
import type { Budget } from '../../../src/session/gpu-memory';
import {
  adviceFor,
  exampleSizes,
  longestThatFits,
  type PlanContext,
  planModel,
  planRun,
} from '../../../src/session/plan-run';
import { type DryRun, type DryRunPlan, Planner } from '../../../src/session/planner';
import type { PlanApi } from '../../../src/workers/plan/service';
import { device } from './stage';

const MB = 2 ** 20;

/** A run's bytes as a simple, predictable sum: this tests what the dry run is asked, not the dry run itself. */
function answer({ batches, checkpointing, method, quantization }: DryRun): DryRunPlan {
  const tokens = batches[0]!.rows * batches[0]!.length;
  const rank = (method as LoraMethod).r;
  const parts = {
    weights: (quantization === 'nf4' ? 25 : 100) * MB,
    adapter: rank * MB,
    gradients: rank * MB,
    optimizer: 3 * rank * MB,
    activations: tokens * MB * (checkpointing ? 0.1 : 1),
    logits: 16 * MB,
    cache: 0,
  };
  const bytes = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return { bytes, parts, refusal: null, trainableParameters: 1, totalParameters: 2, products: [] };
}

function contextOf(fits: number): PlanContext & { asked: DryRun[] } {
  const asked: DryRun[] = [];
  const plan = async (run: DryRun) => {
    asked.push(run);
    return answer(run);
  };
  const connection = { api: { plan }, within: () => ({ plan }), death: null, onDeath: () => {}, terminate: () => {} };
  const planner = new Planner(() => connection as unknown as Connection<PlanApi>);
  const budget: Budget = { bytes: fits * MB, how: 'by decree', fits: fits * MB, tooBig: 2 * fits * MB };
  return { planner, device, budget, model: { config: {}, tensors: [] }, asked };
}

const recipeOf = (input: Omit<RecipeInput, 'version'> = {}) =>
  resolveRecipe({ version: 1, ...input, dataset: { shuffle: false, ...input.dataset } });

const example = (row: number, length: number): TokenizedExample => {
  const ids = new Int32Array(length).fill(1);
  const labels = ids.map((_, i) => (i < 10 ? -100 : 1));
  return { kind: 'next_token', row, ids, labels, starts: null, truncatedBy: 0 };
};
const sizes = exampleSizes({
  train: [example(1, 250), example(2, 100), example(3, 90)],
  validation: [example(4, 60)],
  task: null,
});

describe('the longest limit that fits', () => {
  // Twenty-four: no micro-batch holds a single row.
  const many = Array.from({ length: 23 }, (_, i) => example(i + 1, 100));
  const withOne = (length: number) =>
    exampleSizes({ train: [...many, example(24, length)], validation: [], task: null });
  // With checkpointing, two rows of n tokens take 100 + 5 · 16 + 16 + 0.2 · n MB.
  const fitting = (fits: number, length: number, usual: number, longest: number) =>
    longestThatFits(contextOf(fits), recipeOf(), withOne(length), usual, longest);

  test('is every example, if the forecast has room', async () => {
    expect(await fitting(10_000, 2000, 112, 2016)).toBeNull();
    expect(await fitting(196 + 404, 2000, 112, 2016)).toBeNull();
  });

  test('is found between the usual limit and the longest example', async () => {
    // 0.2 · 1020 = 204; the limit is found to a sixteenth of the range, and never above it.
    const found = (await fitting(196 + 204, 2000, 112, 2016))!;
    expect(found).toBeLessThanOrEqual(1020);
    expect(found).toBeGreaterThan(1020 - (2016 - 112) / 16);
    expect(found % 32).toBe(0);
    const long = (await fitting(196 + 204, 30_000, 112, 30_016))!;
    expect(long).toBeLessThanOrEqual(1020);
  });

  test('is the usual one if even that is too much, which the forecast says', async () => {
    expect(await fitting(10, 2000, 112, 2016)).toBe(112);
  });

  test('is TRL’s default if nobody knows how much memory there is', async () => {
    const unknown = { ...contextOf(1), budget: null };
    expect(await longestThatFits(unknown, recipeOf(), withOne(2000), 112, 2016)).toBe(1024);
    expect(await longestThatFits(unknown, recipeOf(), withOne(900), 112, 928)).toBeNull();
  });

  test('is less if a single buffer would be larger than the device allows', async () => {
    const context = contextOf(100_000);
    const plan = async (run: DryRun) => {
      const { length } = run.batches[0]!;
      const refusal = { limit: 'maxBufferSize', bytes: length, part: 'logits' } as const;
      return { ...answer(run), refusal: length > 512 ? refusal : null } as DryRunPlan;
    };
    const connection = { within: () => ({ plan }), death: null, terminate: () => {} };
    const planner = new Planner(() => connection as unknown as Connection<PlanApi>);
    const found = await longestThatFits({ ...context, planner }, recipeOf(), withOne(2000), 112, 2016);
    expect(found).toBeLessThanOrEqual(512);
    expect(found).toBeGreaterThan(512 - (2016 - 112) / 16);
  });
});

describe('a run is planned', () => {
  test('with the shapes of its batches, widest first, and its prompts', async () => {
    const context = contextOf(10_000);
    await planRun(context, recipeOf(), sizes);
    expect(context.asked).toHaveLength(1);
    expect(context.asked[0]).toMatchObject({
      // Two rows of at most 250 tokens, and the remaining one, rounded up to multiples of 32.
      batches: [
        { rows: 2, length: 256, targets: 240 + 90 },
        { rows: 1, length: 96, targets: 80 },
      ],
      evaluation: [{ rows: 1, length: 64, targets: 50 }],
      prompts: [10, 10, 10],
      checkpointing: false,
    });
  });

  test('only once if the changes do not affect memory', async () => {
    const context = contextOf(10_000);
    const first = await planRun(context, recipeOf(), sizes);
    const again = await planRun(context, recipeOf({ training: { learning_rate: 1e-3, weight_decay: 0 } }), sizes);
    expect(context.asked).toHaveLength(1);
    expect(again).toEqual(first);
    await planRun(context, recipeOf({ method: { type: 'lora', r: 8 } }), sizes);
    expect(context.asked).toHaveLength(2);
  });

  test('with checkpointing if requested, or if on auto and the run would not fit without it', async () => {
    // 100 + 5 · 16 + 16, and 1 MB for each of 512 tokens: 708 MB, or 247 MB with checkpointing.
    const chosen = async (fits: number, gradient_checkpointing: boolean | 'auto') =>
      (await planRun(contextOf(fits), recipeOf({ training: { gradient_checkpointing } }), sizes)).checkpointing;
    expect(await chosen(1000, 'auto')).toBe(false);
    expect(await chosen(700, 'auto')).toBe(true);
    expect(await chosen(10, 'auto')).toBe(true);
    expect(await chosen(10, false)).toBe(false);
    expect(await chosen(1000, true)).toBe(true);
    const unknown = { ...contextOf(1), budget: null };
    expect((await planRun(unknown, recipeOf(), sizes)).checkpointing).toBe(false);
  });

  describe('with the micro-batches of a step taken together', () => {
    // Eight rows of 256 tokens are the default recipe's step: 100 + 5 · 16 + 16 MB, and 1 MB a token.
    const alike = exampleSizes({
      train: Array.from({ length: 16 }, (_, i) => example(i, 250)),
      validation: [],
      task: null,
    });
    const planned = async (fits: number, changes: Partial<PlanContext> = {}, of = alike, input = {}) => {
      const context = { ...contextOf(fits), ...changes };
      const { together, bytes } = await planRun(context, recipeOf(input), of);
      return { together, rows: (bytes / MB - 196) / 256 };
    };

    test('as far as they fit comfortably', async () => {
      expect(await planned(196 + 2048)).toEqual({ together: 4, rows: 8 });
      expect(await planned(196 + 2047)).toEqual({ together: 2, rows: 4 });
      expect(await planned(196 + 1023)).toEqual({ together: 1, rows: 2 });
    });

    test('not on a software renderer, where nobody knows how much memory there is, or in answers to prompts', async () => {
      expect(await planned(10_000, { device: { ...device, software: true } })).toMatchObject({ together: 1 });
      expect(await planned(10_000, { budget: null })).toMatchObject({ together: 1 });
      expect(await planned(10_000, {}, { ...alike, additive: false })).toMatchObject({ together: 1 });
    });

    test('as many as a resumed run had, with the checkpointing that these need', async () => {
      // Four at once take 196 + 2048 MB, one 196 + 512; with checkpointing a token takes 0.1 MB.
      const resumed = async (fits: number) => {
        const { together, checkpointing, bytes } = await planRun(contextOf(fits), recipeOf(), alike, 4);
        return { together, checkpointing, mb: Math.round(bytes / MB) };
      };
      expect(await resumed(2500)).toEqual({ together: 4, checkpointing: false, mb: 196 + 2048 });
      expect(await resumed(1000)).toEqual({ together: 4, checkpointing: true, mb: Math.round(196 + 0.1 * 2048) });
    });

    test('up to 4,096 tokens', async () => {
      const training = { per_device_train_batch_size: 2, gradient_accumulation_steps: 8 };
      expect(await planned(100_000, {}, alike, { training })).toEqual({ together: 8, rows: 16 });
      const longer = exampleSizes({
        train: Array.from({ length: 16 }, (_, i) => example(i, 512)),
        validation: [],
        task: null,
      });
      expect((await planned(100_000, {}, longer, { training })).together).toBe(4);
    });
  });

  test('again after a failure', async () => {
    let calls = 0;
    const plan = async (run: DryRun) => {
      if (++calls === 1) throw new TabtuneError({ code: 'worker_died', message: 'gone' });
      return answer(run);
    };
    const connection = { within: () => ({ plan }), death: null, terminate: () => {} };
    const planner = new Planner(() => connection as unknown as Connection<PlanApi>);
    const context = { ...contextOf(1000), planner };
    await expect(planRun(context, recipeOf(), sizes)).rejects.toMatchObject({ code: 'worker_died' });
    expect((await planRun(context, recipeOf(), sizes)).bytes).toBe(708 * MB);
  });
});

test('advice is planned, largest saving first, and says what is enough', async () => {
  const context = contextOf(460);
  const recipe = recipeOf({ training: { gradient_checkpointing: false } });
  const plan = await planRun(context, recipe, sizes);
  const advice = await adviceFor(context, recipe, sizes, plan);
  expect(advice.filter(({ changes }) => !('model.quantization' in changes))).toEqual([
    {
      label: 'Turn on gradient checkpointing',
      changes: { 'training.gradient_checkpointing': true },
      saves: expect.closeTo(0.9 * 512 * MB, -3),
      enough: true,
    },
    {
      label: 'Batch size 1, gradient accumulation 8',
      changes: { 'training.per_device_train_batch_size': 1, 'training.gradient_accumulation_steps': 8 },
      saves: 256 * MB,
      enough: true,
    },
    { label: 'Truncate examples to 128 tokens', changes: { 'dataset.max_length': 128 }, saves: 256 * MB, enough: true },
    { label: 'Rank 8', changes: { 'method.r': 8, 'method.lora_alpha': 16 }, saves: 40 * MB, enough: false },
  ]);
});

test('where long prompts are left out, shorter answers are suggested, not a lower limit', async () => {
  const prompt = (row: number): TokenizedExample => ({
    ...{ kind: 'prompt', row, ids: new Int32Array(250), truncatedBy: 0, prompt: '', columns: {} },
  });
  const prompts = exampleSizes({ train: [1, 2, 3, 4].map(prompt), validation: [], task: null });
  const objective = { type: 'grpo', rewards: [{ type: 'length' }], max_completion_length: 200 };
  const recipe = recipeOf({ objective: objective as never, training: { gradient_checkpointing: true } });
  const asked: DryRun[] = [];
  const plan = async (run: DryRun) => {
    asked.push(run);
    const tokens = (run.objective as { max_completion_length: number }).max_completion_length;
    return { ...answer(run), bytes: tokens * MB };
  };
  const connection = { within: () => ({ plan }), death: null, terminate: () => {} };
  const context = { ...contextOf(150), planner: new Planner(() => connection as unknown as Connection<PlanApi>) };
  const advice = await adviceFor(context, recipe, prompts, await planRun(context, recipe, prompts));
  expect(advice).toEqual([
    {
      label: 'Answers of at most 100 tokens',
      changes: { 'objective.max_completion_length': 100 },
      saves: 100 * MB,
      enough: true,
    },
  ]);
  // The prompts of a step come as one batch, and its steps are gone through.
  expect(asked[0]).toMatchObject({ stepsPerBatch: 1, batches: [{ length: 256 }] });
});

describe('a model is planned from its config', () => {
  const smol = {
    model_type: 'llama',
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    vocab_size: 49_152,
    max_position_embeddings: 8192,
    tie_word_embeddings: true,
  };
  const ask = (context: PlanContext, kind: 'safetensors' | 'gguf', dtype: string, config = smol) =>
    planModel(context, { config, dtype, kind });

  test('as stored', async () => {
    const context = contextOf(700);
    const [plain] = await ask(context, 'safetensors', 'BF16');
    // 2 × 512 tokens would need 1220 MB; with checkpointing they need 298 MB.
    expect(plain).toMatchObject({ quantization: 'none', weightBytes: 100 * MB, verdict: 'fits' });
    const { tensors } = context.asked[0]!;
    expect(tensors).toHaveLength(1 + 30 * 9 + 1);
    expect(new Map(tensors).get('model.layers.29.mlp.down_proj.weight')).toEqual({ dtype: 'BF16', shape: [576, 1536] });
  });

  test('as stored in a GGUF file: quantised if blocks divide the rows, floats otherwise', async () => {
    const context = contextOf(700);
    expect(await ask(context, 'gguf', 'Q4_K_M')).toHaveLength(1);
    const tensors = new Map(context.asked[0]!.tensors);
    expect(tensors.get('model.layers.0.mlp.down_proj.weight')!.dtype).toBe('Q4_K');
    // 576 is not a multiple of 256.
    expect(tensors.get('model.layers.0.mlp.up_proj.weight')!.dtype).toBe('F16');
    expect(tensors.get('model.norm.weight')!.dtype).toBe('F32');
    expect(await ask(context, 'gguf', 'IQ2_XXS')).toEqual([]);
  });

  test('unless its config is invalid', async () => {
    const broken = { ...smol, hidden_size: -1 };
    await expect(ask(contextOf(700), 'safetensors', 'BF16', broken)).rejects.toMatchObject({ code: 'bad_model' });
  });
});
