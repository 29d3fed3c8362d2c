/** Steps that are replayed give the losses and weights of steps that are not, to the last bit, and replayed tokens are the same. */
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { llamaConfig, randomSource, type Shape } from '../../bench/random-llama';
import { pairBatch } from '../../src/data/preference-batches';
import type { Batch, HiddenTokensBatch, NextTokenBatch, PairExample, TaskData } from '../../src/data/types';
import { generate, textLogits } from '../../src/engine/generation/generate';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { createMethod } from '../../src/engine/methods';
import { inference } from '../../src/engine/methods/method';
import { loadModel } from '../../src/engine/models';
import { createObjective } from '../../src/engine/objectives';
import type { ObjectiveInfo } from '../../src/engine/objectives/objective';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { attachMethod } from '../../src/engine/run/attach';
import { evaluate } from '../../src/engine/run/evaluate';
import { freshState, recordStep, type TrainSetup } from '../../src/engine/run/loop';
import type { Hooks } from '../../src/engine/types';
import { counters, flush, gpuBackend, readFloats } from '../../src/engine/webgpu/backend';
import { trimMemory } from '../../src/engine/webgpu/dispatch';
import { trimPool } from '../../src/engine/webgpu/pool';
import { Recordings } from '../../src/engine/webgpu/recording';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { RecipeInput } from '../../src/recipe/types';
import { fixtureJson, fixtureTensors } from '../fixture-files';
import { pretendQuick } from '../quick-device';
import { openTestDevice } from './open-device';

beforeAll(openTestDevice);
afterEach(() => vi.restoreAllMocks());

const SHAPE: Shape = { hidden: 32, layers: 2, heads: 4, kvHeads: 2, intermediate: 48, vocab: 128 };

const ENCODER = 'families/bert';
const MASK = 5;
/** With ids that the encoder knows. */
const small = (batch: NextTokenBatch): NextTokenBatch => ({ ...batch, ids: batch.ids.map((id) => id % 40) });

/** Other tokens, lengths and numbers of targets each time. */
function batchOf(rows: number, length: number, seed: number): NextTokenBatch {
  const lengths = Int32Array.from({ length: rows }, (_, b) => length - ((b * 3 + seed) % 5));
  const real = (i: number) => i % length < lengths[Math.floor(i / length)]!;
  const ids = Int32Array.from({ length: rows * length }, (_, i) =>
    real(i) ? (i * 37 + seed * 11 + 1) % SHAPE.vocab : 0,
  );
  const labels = ids.map((id, i) => (real(i) && i % length > (seed % 3) + 1 ? id : -100));
  const targetCount = labels.filter((label) => label >= 0).length;
  return { kind: 'next_token', batchSize: rows, length, ids, labels, starts: null, lengths, targetCount };
}

interface Case {
  method: RecipeInput['method'];
  objective?: RecipeInput['objective'];
  task?: TaskData;
  /** The fixture's encoder instead of a Llama. */
  encoder?: true;
  training?: RecipeInput['training'];
  /** The micro-batches of a step. */
  micro: (step: number) => Batch[];
  checkpointing?: boolean;
  /** Something done after a step. */
  between?: (step: number, setup: TrainSetup) => Promise<void>;
  steps?: number;
}

/** The losses, norms and weights of a run, and what the last step created and submitted. */
async function runOf({ micro, checkpointing, between, steps = 8, task, encoder, ...given }: Case) {
  const { method: section, training: settings, objective: wanted } = resolveRecipe({ version: 1, ...given });
  const base = encoder
    ? await loadModel(
        await fixtureJson(`${ENCODER}/config.json`),
        (await fixtureTensors(`${ENCODER}/model.safetensors`)).source,
      )
    : await loadModel(llamaConfig(SHAPE), randomSource(SHAPE));
  const attached = await attachMethod(base, section, { seed: 1, task: task ?? null });
  const { model, method } = attached;
  const info: ObjectiveInfo = { maskTokenId: MASK, vocabSize: model.vocabSize, task: task ?? null };
  const objective = createObjective(wanted, info);
  const optimizer = createOptimizer(method.trainable, settings, { rate: method.rate });
  const batches = { stepsPerEpoch: steps, microBatches: micro, evaluation: () => [] };
  const setup: TrainSetup = {
    ...{ model, method, objective, optimizer, batches, settings, totalSteps: steps, checkpointing },
  };
  const state = freshState();
  const losses: number[][] = [];
  let created: typeof counters = { ...counters };
  try {
    for (let step = 0; step < steps; step++) {
      const before = { ...counters };
      const { loss, gradNorm, finite } = await recordStep(setup, state).stats;
      flush(gpuBackend());
      created = { ...counters };
      for (const name of Object.keys(before) as (keyof typeof before)[]) created[name] -= before[name];
      expect(finite).toBe(true);
      losses.push([loss, gradNorm]);
      await between?.(step, setup);
    }
    const weights = await Promise.all([...method.trainable.values()].map((tensor) => readFloats(tensor)));
    return { losses, weights, created };
  } finally {
    for (const thing of [optimizer, attached, base]) thing.dispose();
    disposeInputs();
    trimPool();
  }
}

async function compare(given: Case) {
  const replayed = await runOf(given);
  vi.spyOn(Recordings.prototype, 'run').mockImplementation((_key, values, work) => work(values));
  const plain = await runOf(given);
  expect(replayed.losses).toEqual(plain.losses);
  expect(replayed.weights).toEqual(plain.weights);
  // The same work reaches the GPU.
  expect(replayed.created.dispatches).toBe(plain.created.dispatches);
  return replayed;
}

const LORA: RecipeInput['method'] = { type: 'lora', r: 4, lora_alpha: 8, target_modules: 'all-linear' };
const STEADY = { bindGroups: 0, buffers: 0, uniformBuffers: 0, replays: 1 };
const one = (step: number) => [batchOf(2, 16, step)];

test('LoRA with dropout, noise and a schedule', async () => {
  pretendQuick(Recordings);
  const { created } = await compare({
    method: { ...LORA, lora_dropout: 0.2 },
    training: { learning_rate: 1e-2, lr_scheduler_type: 'cosine', warmup_ratio: 0.2, neftune_noise_alpha: 5 },
    micro: one,
  });
  expect(created).toMatchObject(STEADY);
  expect(created.submits).toBeLessThanOrEqual(2);
});

test('full fine-tuning with label smoothing and a moving average, evaluated in between', async () => {
  const { created } = await compare({
    method: { type: 'full' },
    training: { learning_rate: 1e-2, label_smoothing_factor: 0.1, ema_decay: 0.9 },
    micro: one,
    between: async (step, { model, method, objective, optimizer }) => {
      if (step !== 3 && step !== 5) return;
      await optimizer.withAverage(async () => {
        await evaluate({ model, method, objective }, [batchOf(3, 24, 7), batchOf(2, 16, 9)], () => false);
      });
    },
    steps: 10,
  });
  expect(created).toMatchObject(STEADY);
});

test('micro-batches of different shapes, one after the other and within a step', async () => {
  const shapes: [number, number][] = [
    [2, 16],
    [1, 24],
    [3, 8],
  ];
  const shaped = (at: number, seed: number) => batchOf(...shapes[at % 3]!, seed);
  const { created } = await compare({
    method: LORA,
    training: { learning_rate: 1e-2 },
    micro: (step) => [0, 1, 1, 2].map((at, i) => shaped(at + (step % 2), 10 * step + i)),
    steps: 10,
  });
  expect(created).toMatchObject({ ...STEADY, replays: 4 });
});

test('gradient checkpointing', async () => {
  const { created } = await compare({
    method: { ...LORA, lora_dropout: 0.1 },
    training: { learning_rate: 1e-2 },
    micro: one,
    checkpointing: true,
  });
  expect(created).toMatchObject(STEADY);
});

test.each<[string, RecipeInput['method'], number]>([
  ['DoRA', { ...LORA, use_dora: true, lora_dropout: 0.1 }, 1],
  ['(IA)³', { type: 'ia3' }, 1],
  ['bottleneck adapters', { type: 'bottleneck' }, 1],
  ['prompt tuning', { type: 'prompt_tuning', num_virtual_tokens: 3, prompt_tuning_init: 'RANDOM' }, 1],
  ['prefix tuning', { type: 'prefix_tuning', num_virtual_tokens: 3 }, 1],
  ['P-tuning', { type: 'p_tuning', num_virtual_tokens: 3, encoder_hidden_size: 16 }, 1],
])('%s, with kernels of tfjs', async (_, method, replays) => {
  // Of one method, asked in between: what it keeps of its weights must not outlive a step.
  let hooks: Hooks | undefined;
  const answers: Float32Array[] = [];
  const { created } = await compare({
    method,
    training: { learning_rate: 1e-2 },
    micro: one,
    between: async (step, setup) => {
      if (step === 1) hooks = setup.method.hooks(inference());
      if (step % 3 === 1) answers.push(await textLogits(setup.model, hooks!, Int32Array.of(1, 2, 3)));
    },
  });
  const half = answers.length / 2;
  expect(answers.slice(half)).toEqual(answers.slice(0, half));
  expect(answers[1]).not.toEqual(answers[0]);
  expect(created.replays).toBe(replays);
});

test('gradual unfreezing, where more and more learns', async () => {
  const training = { learning_rate: 1e-2 };
  const { created } = await compare({ method: { type: 'gradual_unfreezing' }, training, micro: one, steps: 12 });
  expect(created.replays).toBe(1);
});

const labels = (count: number) => Array.from({ length: count }, (_, i) => String(i));
/** Of some numbers that differ from step to step. */
const drawn = (seed: number, i: number, below: number) => (seed * 7 + i * 13 + (i % 3)) % below;

test.each([
  ['single_label_classification', 1, (seed: number, i: number) => drawn(seed, i, 3)],
  ['multi_label_classification', 3, (seed: number, i: number) => drawn(seed, i, 2)],
  ['regression', 1, (seed: number, i: number) => drawn(seed, i, 11) / 4],
] as const)('%s of texts', async (problemType, width, target) => {
  const { created } = await compare({
    method: LORA,
    objective: { type: 'sequence_classification' },
    task: { problemType, labels: labels(problemType === 'regression' ? 1 : 3) },
    training: { learning_rate: 1e-2 },
    micro: (step) => {
      const { labels: _, starts: __, ...rows } = batchOf(2, 16, step);
      const targets = Float32Array.from({ length: 2 * width }, (_own, i) => target(step, i));
      return [{ ...rows, kind: 'text_targets', targets, width, targetCount: 2 }];
    },
  });
  expect(created).toMatchObject(STEADY);
});

test('labels of words, on an encoder with its own dropout', async () => {
  const { created } = await compare({
    method: { ...LORA, lora_dropout: 0.1 },
    objective: { type: 'token_classification' },
    task: { problemType: 'token_classification', labels: labels(3) },
    training: { learning_rate: 1e-2, label_smoothing_factor: 0.1 },
    encoder: true,
    micro: (step) => {
      const { starts: _, ...batch } = small(batchOf(2, 12, step));
      const words = batch.labels.map((label, i) => (label < 0 || i % 3 > 0 ? -100 : drawn(step, i, 3)));
      const targetCount = words.filter((word) => word >= 0).length;
      return [{ ...batch, kind: 'token_labels', labels: words, targetCount }];
    },
  });
  expect(created).toMatchObject(STEADY);
});

test('masked words: others in each step, and not as many', async () => {
  const { created } = await compare({
    method: { type: 'full' },
    objective: { type: 'masked_lm', mlm_probability: 0.3 },
    training: { learning_rate: 1e-2 },
    encoder: true,
    micro: (step) => {
      const { labels: _, starts: __, ...rows } = small(batchOf(3, 12, step));
      const special = Uint8Array.from(rows.ids, (_own, i) => Number(i % 12 === 0));
      return [{ ...rows, kind: 'hidden_tokens', special, targetCount: 0 } satisfies HiddenTokensBatch];
    },
  });
  expect(created).toMatchObject(STEADY);
});

/** Pairs whose answers differ in length from step to step, behind prompts of as many tokens. */
const pairsOf = (step: number): Batch => {
  const example = (row: number): PairExample => {
    const text = (answer: number, by: number) =>
      Int32Array.from({ length: 4 + answer }, (_, i) => 1 + ((i * 31 + (i < 4 ? row : by)) % (SHAPE.vocab - 1)));
    const chosen = text(3 + ((step + row) % 4), 5 * step + row);
    const rejected = text(2 + ((step * 3 + row) % 5), 11 * step + row + 50);
    return { kind: 'pair', row, ids: chosen, rejected, promptLength: 4, margin: (step % 3) / 4, truncatedBy: 0 };
  };
  return pairBatch([example(2 * step), example(2 * step + 1)], 0, 16);
};

test.each<[string, RecipeInput['objective'], TaskData?]>([
  ['DPO', { type: 'dpo' }],
  [
    'DPO by a token',
    { type: 'dpo', loss_type: ['ipo', 'sft'], loss_weights: [1, 0.5], ld_alpha: 0.5, use_weighting: true },
  ],
  ['DPO by sorted values', { type: 'dpo', loss_type: ['aot'] }],
  ['ORPO', { type: 'orpo' }],
  ['CPO', { type: 'cpo' }],
  ['a reward model', { type: 'reward' }, { problemType: 'regression', labels: ['0'] }],
])('%s', async (_, objective, task) => {
  const training = { learning_rate: 1e-2 };
  const { created } = await compare({ method: LORA, objective, task, training, micro: (step) => [pairsOf(step)] });
  expect(created).toMatchObject(STEADY);
});

test('memory freed and a state loaded in between', async () => {
  const { created } = await compare({
    method: LORA,
    training: { learning_rate: 1e-2 },
    micro: one,
    between: async (step, { optimizer }) => {
      if (step === 3) optimizer.load(await optimizer.save(), optimizer.updates);
      if (step === 4) trimMemory();
      // tfjs keeps what is read this way, though a replay writes the tensor.
      if (step === 5) for (const tensor of optimizer.tensors) await tensor.data();
    },
  });
  expect(created).toMatchObject(STEADY);
});

test.each([0, 0.9])('tokens at temperature %s, one answer after the other', async (temperature) => {
  const { method: section } = resolveRecipe({ version: 1, method: LORA });
  const model = await loadModel(llamaConfig(SHAPE), randomSource(SHAPE));
  const method = await createMethod(model, section, { seed: 1 });
  const answers = async () => {
    const all: Int32Array[] = [];
    for (const prompt of [Int32Array.of(1, 2, 3), Int32Array.of(7)]) {
      const options = { maxNewTokens: 20, temperature, topP: 0.9, seed: 5, stopTokenIds: [] };
      all.push(await generate(model, method.hooks(inference()), prompt, options));
    }
    return all;
  };
  try {
    const before = counters.replays;
    const replayed = await answers();
    // Of each twenty, all but a prompt's and two that are recorded, or three where one is new.
    expect(counters.replays - before).toBeGreaterThanOrEqual(2 * 16);
    vi.spyOn(Recordings.prototype, 'run').mockImplementation((_key, values, work) => work(values));
    expect(await answers()).toEqual(replayed);
    // The likeliest may be the same token again and again.
    if (temperature > 0) expect(new Set(replayed[0]).size).toBeGreaterThan(2);
  } finally {
    for (const thing of [method, model]) thing.dispose();
    disposeInputs();
    trimPool();
  }
});
