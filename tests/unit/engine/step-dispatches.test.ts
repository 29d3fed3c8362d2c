/** How many dispatches a steady training step takes, kernel by kernel, on a device that only counts. */
import { beforeAll, expect, test } from 'vitest';
import { llamaConfig, type Shape } from '../../../bench/random-llama';
import { createBatchSource, stepOptions } from '../../../src/data/batches';
import type { Batch, NextTokenBatch, NextTokenExample, TaskData } from '../../../src/data/types';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import { type Counts, kindsOf, LIMITS, labelled, SMOL, shapesOf } from '../../labelled-device';
import { pretendQuick } from '../../quick-device';
import { defineWebGpuNames } from '../../webgpu-names';

// tfjs's backend needs WebGPU's names when it is loaded.
let engine: Awaited<ReturnType<typeof load>>;
const load = async () => ({
  ...(await import('../../../src/engine/models')),
  ...(await import('../../../src/engine/methods')),
  ...(await import('../../../src/engine/optim/optimizer')),
  ...(await import('../../../src/engine/run/loop')),
  ...(await import('../../../src/engine/objectives')),
  ...(await import('../../../src/engine/run/attach')),
  ...(await import('../../../src/engine/webgpu/adapter')),
  ...(await import('../../../src/engine/webgpu/backend')),
  ...(await import('../../../src/engine/webgpu/device')),
  ...(await import('../../../src/engine/webgpu/recording')),
  ...(await import('../../../src/engine/kernels/inputs')),
});
beforeAll(async () => {
  defineWebGpuNames();
  engine = await load();
  pretendQuick(engine.Recordings);
});

interface Step {
  shape: Shape;
  rows: number;
  length: number;
  method: RecipeInput['method'];
  software: boolean;
  /** Products in tiles of f16. */
  half?: boolean;
  limits?: Record<string, number>;
  /** The micro-batches of a step; one of `rows` texts by default. */
  batches?: Batch[];
  objective?: RecipeInput['objective'];
  task?: TaskData;
}

/** What the third step takes, its dispatches by the first word of the shader's label, and the least JavaScript of some steps. */
async function stepOf({ shape, rows, length, method: given, software, limits = LIMITS, batches, ...more }: Step) {
  const { half = false, task = null, objective: learned } = more;
  const counts: Counts = { dispatches: new Map(), copies: 0, clears: 0 };
  const device = labelled(counts, limits);
  await engine.installDevice(device, { vendor: 'nvidia', architecture: 'ada' }, software);
  engine.setAdapterTraits(device, { ...engine.adapterTraits(device), f16: half });
  engine.setHalf(device, half);
  const {
    method: section,
    training,
    objective,
  } = resolveRecipe({
    version: 1,
    method: given,
    objective: learned,
    training: { learning_rate: 1e-4, lr_scheduler_type: 'constant', max_grad_norm: 1 },
  });
  const base = await engine.loadModel(llamaConfig(shape), shapesOf(shape), { shapesOnly: true });
  const attached = await engine.attachMethod(base, section, { seed: 1, task });
  const { model, method } = attached;
  const info = { maskTokenId: null, vocabSize: shape.vocab, task };
  const optimizer = engine.createOptimizer(method.trainable, training, { rate: method.rate });
  const ids = new Int32Array(rows * length);
  const batch: NextTokenBatch = {
    ...{ kind: 'next_token', batchSize: rows, length, ids, labels: ids, starts: null },
    ...{ lengths: new Int32Array(rows).fill(length), targetCount: rows * (length - 1) },
  };
  const setup = {
    ...{
      model,
      method,
      objective: engine.createObjective(objective, info),
      optimizer,
      settings: training,
      totalSteps: 10,
    },
    batches: { stepsPerEpoch: 10, microBatches: () => batches ?? [batch], evaluation: () => [] },
  };
  const state = engine.freshState();
  for (let i = 0; i < 2; i++) await engine.recordStep(setup, state).stats;
  counts.dispatches.clear();
  Object.assign(counts, { copies: 0, clears: 0 });
  const before = { ...engine.counters };
  const begun = performance.now();
  const { stats } = engine.recordStep(setup, state);
  let milliseconds = performance.now() - begun;
  await stats;
  engine.flush(engine.gpuBackend());
  const made = (name: keyof typeof before) => engine.counters[name] - before[name];
  const created = { replays: made('replays'), bindGroups: made('bindGroups'), buffers: made('buffers') };
  const submits = made('submits');
  const all = [...counts.dispatches.values()].reduce((total, count) => total + count, 0);
  const kinds = kindsOf(counts.dispatches);
  const { copies, clears } = counts;
  // Of several steps, the one that was disturbed least.
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    const step = engine.recordStep(setup, state);
    milliseconds = Math.min(milliseconds, performance.now() - start);
    await step.stats;
  }
  for (const thing of [optimizer, attached, base]) thing.dispose();
  engine.disposeInputs();
  return { kinds, all, copies, clears, created, submits, milliseconds };
}

const SMALL: Shape = { hidden: 128, layers: 2, heads: 4, kvHeads: 4, intermediate: 512, vocab: 1024 };
const LORA = { type: 'lora', r: 16, lora_alpha: 16, target_modules: 'all-linear' } as const;

/** tfjs names its programs by their classes. */
const ofTfjs = (kinds: Record<string, number>) => Object.keys(kinds).filter((kind) => !/^[a-z][a-z0-9_]*$/.test(kind));

// On a GPU, the gradients of the five norms' weights take a second pass over partial sums.
test.each([
  [true, false, 76],
  [false, false, 81],
  [false, true, 81],
])('a step of full fine-tuning of two layers, software %s, f16 %s: %i dispatches', async (software, half, wanted) => {
  const { kinds, all, ...moved } = await stepOf({
    shape: SMALL,
    rows: 4,
    length: 128,
    method: { type: 'full' },
    software,
    half,
  });
  expect(ofTfjs(kinds)).toEqual([]);
  // Of the loss to the sums of the step, and of these and the norm to be read.
  expect(moved.copies).toBe(2);
  expect(all).toBe(wanted);
  // Gradients that meet are added where the second is made; the loss's own gradient is 1 and multiplies nothing.
  expect(kinds).not.toHaveProperty('add_tensors');
  expect(kinds).not.toHaveProperty('scale_in_place');
  // Of fourteen linear layers: the gradients of input and weight together, the latter in the flat buffer at once, as is that of the
  // table; those of five norms are gathered.
  expect(kinds).toMatchObject({ matmul_nn_tn: 14, matmul_tn: 1, matmul_nn: 1, accumulate: 1 });
});

// In software the 1,024 rows are 13 chunks of at most 80 rows and 16 MiB, on a GPU one.
test.each([
  [true, 941],
  [false, 881],
])('a step of LoRA on SmolLM2-135M, software %s: %i dispatches', async (software, wanted) => {
  const { kinds, all, ...moved } = await stepOf({ shape: SMOL, rows: 4, length: 256, method: LORA, software });
  expect(ofTfjs(kinds)).toEqual([]);
  // Of the loss to the step's sums, and of these and the norm, to be read. No parameter is copied: the 420 are views of what the
  // optimiser updates.
  expect(moved.copies).toBe(2);
  expect(all).toBe(wanted);
  // In each of 30 layers q, k and v are one product, and so are gate and up: forward, and for the gradients of h (nn_segments), of
  // the input beside A's and B's (nn_tn_segments), all of which are views of one buffer. Nothing is learned below the first layer's q,
  // k and v, so their input needs none.
  expect(kinds).toMatchObject({ matmul_nt_segments: 120, matmul_nn_segments: 60, attention_gradients: 30 });
  expect(kinds).toMatchObject({ matmul_nn_tn_segments: 59, matmul_tn: 1, matmul_nn_tn: 60 });
  expect(kinds).toMatchObject({ rms_norm_dx: 60, softmax_rows: software ? 13 : 1 });
  expect(kinds).not.toHaveProperty('attention_stats');
  expect(kinds).not.toHaveProperty('add_tensors');
  expect(kinds).not.toHaveProperty('accumulate');
});

test('a step of the default recipe on SmolLM2-135M: its four micro-batches of two texts are one of eight', async () => {
  const recipe = resolveRecipe({ version: 1 });
  const texts = Array.from({ length: 32 }, (_, row): NextTokenExample => {
    const ids = new Int32Array(230 + ((row * 7) % 26));
    return { kind: 'next_token', row, ids, labels: ids, starts: null, truncatedBy: 0 };
  });
  const options = { ...stepOptions(recipe, null), padTokenId: 0 };
  const [apart, together] = [1, 4].map((together) =>
    createBatchSource(texts, [], { ...options, together }).microBatches(0),
  ) as [NextTokenBatch[], NextTokenBatch[]];
  expect(apart.map(({ batchSize }) => batchSize)).toEqual([2, 2, 2, 2]);
  expect(together.map(({ batchSize, length }) => [batchSize, length])).toEqual([[8, 256]]);
  const step = { shape: SMOL, rows: 8, length: 256, method: recipe.method, software: false };
  const { all } = await stepOf({ ...step, batches: together });
  expect(all).toBeLessThanOrEqual(1100);
  expect((await stepOf({ ...step, batches: apart })).all).toBeGreaterThan(3 * all);
});

/** Llama-3.2-1B's heads on two layers. */
const LLAMA: Shape = { hidden: 2048, layers: 2, heads: 32, kvHeads: 8, intermediate: 1024, vocab: 512 };

test.each([
  [1, 512],
  [4, 1024],
  [2, 4096],
])('attention of %i texts of %i tokens on a GPU: four dispatches a layer', async (rows, length) => {
  const { kinds } = await stepOf({ shape: LLAMA, rows, length, method: LORA, software: false });
  const attention = Object.fromEntries(Object.entries(kinds).filter(([kind]) => kind.startsWith('attention')));
  expect(attention).toEqual({ attention_flash: 2, attention_stats: 2, attention_flash_dq: 2, attention_flash_dkv: 2 });
});

test('below 512 tokens, and in software, attention keeps its scores', async () => {
  for (const [length, software] of [
    [511, false],
    [512, true],
  ] as const) {
    const { kinds } = await stepOf({ shape: LLAMA, rows: 1, length, method: LORA, software });
    expect(kinds).toHaveProperty('attention_scores');
    expect(kinds).not.toHaveProperty('attention_flash');
  }
});

test.each([
  ['dropout', { lora_dropout: 0.1 }, 1030],
  ['DoRA', { use_dora: true }, 2801],
] as const)('the same step with %s, on a GPU', async (_name, more, wanted) => {
  const { kinds, all } = await stepOf({
    ...{ shape: SMOL, rows: 4, length: 256, software: false },
    method: { ...LORA, ...more },
  });
  expect(all).toBe(wanted);
  // One dispatch draws the masks of the layers that read one input: 30 times of q, k and v, of o, of gate and up, and of down.
  if ('lora_dropout' in more) expect(kinds).toMatchObject({ dropout: 120, matmul_nn_segments: 120 });
});

test.each([
  ['full fine-tuning of two layers', SMALL, { type: 'full' }, 128],
  ['LoRA on SmolLM2-135M', SMOL, LORA, 256],
] as const)('the third step of %s is replayed and creates nothing', async (_, shape, method, length) => {
  const { created, submits } = await stepOf({ shape, rows: 4, length, method, software: false });
  expect(created).toEqual({ replays: 1, bindGroups: 0, buffers: 0 });
  expect(submits).toBeLessThanOrEqual(2);
});

test('the third step of a classification is replayed and creates nothing', async () => {
  const [rows, length] = [4, 64];
  const texts = {
    batchSize: rows,
    length,
    ids: new Int32Array(rows * length),
    lengths: new Int32Array(rows).fill(length),
  };
  const { created, submits } = await stepOf({
    ...{ shape: SMALL, rows, length, method: LORA, software: false },
    objective: { type: 'sequence_classification' },
    task: { problemType: 'single_label_classification', labels: ['a', 'b'] },
    batches: [{ ...texts, kind: 'text_targets', targets: Float32Array.of(0, 1, 1, 0), width: 1, targetCount: rows }],
  });
  expect(created).toEqual({ replays: 1, bindGroups: 0, buffers: 0 });
  expect(submits).toBeLessThanOrEqual(2);
});

test.each(['dpo', 'orpo', 'cpo', 'reward'] as const)(
  'the third step of %s is replayed and creates nothing',
  async (type) => {
    const [rows, length] = [4, 64];
    const ids = new Int32Array(rows * length);
    const { created, submits } = await stepOf({
      ...{ shape: SMALL, rows, length, method: LORA, software: false },
      objective: { type },
      task: type === 'reward' ? { problemType: 'regression', labels: ['0'] } : undefined,
      batches: [
        {
          ...{ kind: 'pair', batchSize: rows, length, ids, lengths: new Int32Array(rows).fill(length) },
          ...{
            labels: ids.map((_, i) => (i % length < 20 ? -100 : 1)),
            pairs: 2,
            margins: new Float32Array(2),
            rows: Int32Array.of(1, 2),
            targetCount: 2,
          },
        },
      ],
    });
    expect(created).toEqual({ replays: 1, bindGroups: 0, buffers: 0 });
    // One more for the metrics to be read.
    expect(submits).toBeLessThanOrEqual(3);
  },
);

test('a step of LoRA on SmolLM2-135M takes little JavaScript', async () => {
  const { milliseconds } = await stepOf({ shape: SMOL, rows: 4, length: 256, method: LORA, software: false });
  // 1 ms where nothing else runs; 27 ms before there were replays.
  expect(milliseconds).toBeLessThan(9);
});

test('where shaders bind eight buffers, products and gradients of attention are more dispatches', async () => {
  const step = { shape: SMALL, rows: 4, length: 128, method: LORA, software: false };
  const { kinds, all } = await stepOf({ ...step, limits: { ...LIMITS, maxStorageBuffersPerShaderStage: 8 } });
  const ten = await stepOf(step);
  expect(ten.kinds).toMatchObject({
    matmul_nt_segments: 8,
    matmul_nn_tn_segments: 3,
    matmul_tn: 1,
    attention_gradients: 2,
  });
  // In two layers: the gradients of the inputs are made apart from those of A and B.
  expect(kinds).toMatchObject({ matmul_nt_segments: 8, matmul_sum_segments: 3, matmul_tn: 4, attention_stats: 2 });
  expect(kinds).toMatchObject({ attention_gather: 2, attention_mix: 4 });
  expect(all).toBe(ten.all + 7);
});
