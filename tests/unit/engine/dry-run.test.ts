import { beforeAll, describe, expect, test } from 'vitest';
import type { DryRun } from '../../../src/engine/run/dry-run';
import { llama } from '../../../src/families/llama';
import type { LoraMethod } from '../../../src/methods/lora';
import { resolveRecipe } from '../../../src/recipe/defaults';
import { LIMITS } from '../../labelled-device';
import { defineWebGpuNames } from '../../webgpu-names';

// tfjs's backend needs WebGPU's names when it is loaded.
let dryRun: typeof import('../../../src/engine/run/dry-run').dryRun;
beforeAll(async () => {
  defineWebGpuNames();
  ({ dryRun } = await import('../../../src/engine/run/dry-run'));
});

/** SmolLM2-135M's config.json. */
const SMOL = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_act: 'silu',
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  vocab_size: 49_152,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 100_000,
  tie_word_embeddings: true,
};
const TINY = {
  ...SMOL,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 8,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 512,
};

const { method, objective, training } = resolveRecipe({ version: 1 });

function planOf(config: Record<string, unknown>, changes: Partial<DryRun> = {}): DryRun {
  return {
    device: {
      vendor: 'nvidia',
      architecture: 'ada',
      software: false,
      features: [],
      limits: LIMITS,
    },
    config,
    tensors: llama
      .tensors(llama.readConfig(config))
      .filter(({ optional }) => !optional)
      .map(({ name, shape }) => [name, { dtype: 'BF16', shape }]),
    quantization: 'none',
    method,
    objective,
    task: null,
    base: 0,
    training,
    checkpointing: false,
    batches: [{ rows: 2, length: 128, targets: 200 }],
    evaluation: [],
    prompts: [],
    ...changes,
  };
}

test('SmolLM2-135M: weights, adapter, gradients and moments match a count by hand', async () => {
  const { bytes, parts, refusal, trainableParameters, totalParameters } = await dryRun(planOf(SMOL));
  // LoRA r 16 per block: q 16·(576+576), k and v 16·(576+192), o 16·(576+576), gate, up and down 16·(576+1536).
  const trained = 30 * 16 * (1152 + 2 * 768 + 1152 + 3 * 2112);
  expect(trainableParameters).toBe(trained);
  expect(totalParameters).toBe(134_515_008 + trained);
  // 134 515 008 parameters of two bytes, except 61 norms of 576, which are widened to four.
  expect(parts.weights).toBe(2 * 134_515_008 + 2 * 61 * 576);
  expect(parts.adapter).toBe(4 * trained);
  expect(parts.gradients).toBe(4 * trained);
  // Two moments, plus a little for norms and metrics.
  expect(parts.optimizer / (2 * 4 * trained)).toBeCloseTo(1, 2);
  expect(bytes).toBe(Object.values(parts).reduce((sum, part) => sum + part, 0));
  expect(refusal).toBeNull();
});

test('SmolLM2-135M in 4 and 8 bits: only the linear layers of its blocks change', async () => {
  const stored = (await dryRun(planOf(SMOL))).parts.weights;
  const linears = 30 * 576 * (576 + 192 + 192 + 576 + 3 * 1536);
  // Half a byte of codes and 1/64 byte of scales per value, plus a little for the scales of scales and a table per tensor.
  const nf4 = (await dryRun(planOf(SMOL, { quantization: 'nf4' }))).parts.weights;
  expect((nf4 - (stored - 2 * linears)) / linears / (0.5 + 1 / 64)).toBeCloseTo(1, 1);
  // GGUF's Q8_0: 34 bytes for 32 values.
  const q8 = (await dryRun(planOf(SMOL, { quantization: 'q8' }))).parts.weights;
  expect((q8 - (stored - 2 * linears)) / linears / (34 / 32)).toBeCloseTo(1, 2);
});

test('SmolLM2-135M in full: parameters, gradients and moments once each, beside the base', async () => {
  const full = resolveRecipe({ version: 1, method: { type: 'full' } });
  const changes = {
    method: full.method,
    training: full.training,
    evaluation: [{ rows: 2, length: 128, targets: 200 }],
  };
  const { bytes, parts } = await dryRun(planOf(SMOL, changes));
  const all = 4 * 134_515_008;
  for (const part of ['adapter', 'gradients'] as const) expect(parts[part] / all, part).toBeCloseTo(1, 2);
  expect(parts.optimizer / (2 * all)).toBeCloseTo(1, 2);
  // Of a vocabulary: a chunk of logits. The gradient of the tied table as output projection is in its place at once.
  expect(parts.logits).toBeLessThan(4 * 49_152 * 256 + 11e6);
  expect(bytes).toBeLessThan(2.81e9);
  // Each block's gradients go to their places before the next block is computed again.
  const again = await dryRun(planOf(SMOL, { ...changes, checkpointing: true }));
  expect(again.parts.activations).toBeLessThan(100e6);
  // Nothing is left of what the parameters were made with.
  expect(again.parts.adapter / all).toBeCloseTo(1, 2);
  console.info(`${bytes} bytes, and ${again.bytes} where each block is computed twice`);
  expect(again.bytes).toBeLessThan(2.58e9);
});

describe('the memory of a run grows with what it should', () => {
  test('rows, length, checkpointing, rank', async () => {
    const one = await dryRun(planOf(TINY));
    const double = await dryRun(planOf(TINY, { batches: [{ rows: 4, length: 128, targets: 400 }] }));
    expect(double.parts.activations / one.parts.activations).toBeCloseTo(2, 0);
    expect(double.parts.weights).toBe(one.parts.weights);
    const again = await dryRun(planOf(TINY, { checkpointing: true }));
    // The inputs of eight blocks plus one whole block are little more than half of what is kept of eight blocks.
    expect(again.parts.activations).toBeLessThan(0.55 * one.parts.activations);
    expect(again.parts.weights).toBe(one.parts.weights);
    const narrow = await dryRun(planOf(TINY, { method: { ...(method as LoraMethod), r: 4 } }));
    expect(narrow.parts.adapter).toBe(one.parts.adapter / 4);
    // The same question gets the same answer.
    expect(await dryRun(planOf(TINY))).toEqual(one);
  });

  test('an evaluation and sample answers hold little more than a training step', async () => {
    const batch = { rows: 2, length: 128, targets: 200 };
    const bare = await dryRun(planOf(TINY, { batches: [batch] }));
    const whole = await dryRun(planOf(TINY, { batches: [batch], evaluation: [batch], prompts: [60] }));
    expect(whole.bytes / bare.bytes).toBeLessThan(1.25);
    expect(whole.bytes).toBeGreaterThan(bare.bytes);
  });
});

test('answers to prompts: keys and values of all rows that are answered at once, by hand', async () => {
  // 100 + 200 tokens in steps of 64, for keys and values of 30 layers, 3 heads of 64 each, in float32.
  const bytesOf = (rows: number) => rows * 320 * 2 * 30 * 3 * 64 * 4;
  const of = (num_generations: number) => {
    const given = { type: 'grpo', num_generations, max_completion_length: 200, rewards: [{ type: 'length' }] } as const;
    const steps = { gradient_accumulation_steps: num_generations };
    const recipe = resolveRecipe({ version: 1, objective: given as never, training: steps });
    return dryRun(
      planOf(SMOL, {
        objective: recipe.objective,
        training: { ...training, ...steps, per_device_train_batch_size: 1 },
        checkpointing: true,
        stepsPerBatch: 1,
        batches: [{ rows: 1, length: 100, targets: 1 }],
      }),
    );
  };
  const [some, double] = [await of(16), await of(32)];
  for (const [rows, { parts }] of [[16, some] as const, [32, double] as const]) {
    // Some of them may be buffers that were made for something else.
    expect(parts.cache / bytesOf(rows)).toBeGreaterThan(0.8);
    expect(parts.cache).toBeLessThanOrEqual(bytesOf(rows));
  }
  // The prompt is read once, so that little but the cache differs.
  expect((double.bytes - some.bytes) / bytesOf(16)).toBeCloseTo(1, 1);
  // What does not fit into half a gigabyte is answered after the others; 64 are the most that a prompt may have.
  const fit = Math.floor(2 ** 29 / bytesOf(1));
  expect((await of(64)).bytes / (await of(fit)).bytes).toBeCloseTo(1, 2);
});

test('varying lengths take little more than the longest if memory matters', async () => {
  const shape = (length: number) => ({ rows: 2, length, targets: length });
  const wide = { ...TINY, hidden_size: 512, intermediate_size: 1024 };
  const longest = await dryRun(planOf(wide, { batches: [shape(1024)] }));
  expect(longest.bytes).toBeGreaterThan(2 ** 28);
  const mixed = await dryRun(planOf(wide, { batches: [128, 1024, 512, 256, 768, 640].map(shape) }));
  expect(mixed.bytes / longest.bytes).toBeLessThan(1.1);
});

test('what the device would refuse regardless of its memory is reported', async () => {
  const plan = planOf(TINY);
  const limits = { ...plan.device.limits, maxStorageBufferBindingSize: 40_000 };
  const { refusal } = await dryRun({ ...plan, device: { ...plan.device, limits } });
  expect(refusal).toMatchObject({ limit: 'maxStorageBufferBindingSize' });
  expect(refusal!.bytes).toBeGreaterThan(40_000);
});

test('the products that there is a choice of kernels for are listed, with how often they come; on a CPU there is none', async () => {
  const config = { ...TINY, num_hidden_layers: 2 };
  const { products } = await dryRun(planOf(config));
  const of = (kind: string) => products.filter(({ shape }) => shape.kind === kind);
  // 2 texts of 128 tokens through 64 columns: q, k and v of 64, 32 and 32 rows of W are one product, gate and up of 128 each another;
  // o has 64, and the output projection 512.
  const forward = of('nt').filter(({ shape }) => shape.rows === 256 && shape.steps === 64 && shape.format === 'bf16');
  expect(forward.map(({ shape }) => shape.columns).sort((a, b) => a - b)).toEqual([64, 128, 256, 512]);
  // The gradients of LoRA's A and B of q, k and v are beside that of their input.
  const beside = of('nn').find(({ shape }) => shape.products.length === 6)!;
  expect(beside.shape).toMatchObject({ rows: 256, columns: 64, steps: 128, inFours: true });
  expect(beside.count).toBeGreaterThan(0);
  // The first block's input needs no gradient, so its products are alone.
  expect(of('tn').length).toBeGreaterThan(0);

  const device = { ...planOf(config).device, software: true };
  expect((await dryRun(planOf(config, { device }))).products).toEqual([]);
});
