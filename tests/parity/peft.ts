/**
 * Compares DoRA, PiSSA, (IA)³, LoRA+ and patterns with PEFT (tests/oracle/make_peft_fixtures.py), on the tiny models of other
 * fixtures; one body for both backends. Tolerances are those of tests/oracle/README.md.
 */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBatchSource } from '../../src/data/batches';
import type { Batch } from '../../src/data/types';
import { textLogits } from '../../src/engine/generation/generate';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { embedding } from '../../src/engine/kernels/moves/embedding';
import { linear } from '../../src/engine/kernels/products/linear';
import { denseWeight } from '../../src/engine/kernels/products/weight';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { createLora, type LoraSettings } from '../../src/engine/methods/lora';
import { loraExport } from '../../src/engine/methods/lora-export';
import { inference, type Method } from '../../src/engine/methods/method';
import { startPissa } from '../../src/engine/methods/pissa';
import { loadModel } from '../../src/engine/models';
import { projectLogits, requireHead } from '../../src/engine/models/heads';
import type { LanguageModel } from '../../src/engine/models/model';
import { sft } from '../../src/engine/objectives/sft';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { checkpointBlocks } from '../../src/engine/run/checkpointing';
import { freshState, recordStep } from '../../src/engine/run/loop';
import type { Hooks } from '../../src/engine/types';
import { readFloats } from '../../src/engine/webgpu/backend';
import { readPeft } from '../../src/methods/read-adapter';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { TrainingSection } from '../../src/recipe/types';
import { fixtureBytes, fixtureJson, fixtureTensors, relativeError } from '../fixture-files';
import { openAdapter } from './adapter';
import { type BatchJson, freeInts, hiddenOf, maskedLoss, read, realRows } from './encoder';
import { lossOf as objectiveLoss } from './loss';

/** Folders of tests/fixtures/peft. */
export const PEFT_CASES = [
  'llama-patterns',
  'llama-loraplus',
  'llama-dora',
  'llama-dora-nf4',
  'llama-ia3',
  'llama-head',
  'gpt2-dora',
  'gpt2-ia3',
  'bert-dora',
  'bert-ia3',
] as const;

const TRAINED: readonly string[] = ['llama-patterns', 'llama-loraplus', 'llama-dora', 'llama-ia3', 'llama-head'];

/** PiSSA's cases, with the settings that the oracle uses. */
export const PISSA_CASES: [name: string, settings: LoraSettings][] = [
  ['llama-pissa', pissa({ r: 4 })],
  ['gpt2-pissa', pissa({ r: 5, use_rslora: true })],
];

function pissa(changes: Partial<LoraSettings>): LoraSettings {
  const plain = { r: 4, lora_alpha: 8, lora_dropout: 0, target_modules: 'all-linear' as const, use_rslora: false };
  return { ...plain, init_lora_weights: 'pissa', ...changes };
}

interface Expected {
  base: string;
  loss: number;
  target_tokens: number;
}
interface ExpectedTraining {
  training: Partial<TrainingSection>;
  ratio: number;
  steps: { loss: number; grad_norm: number; learning_rate: number }[];
}

interface Opened {
  model: LanguageModel;
  expected: Expected;
  json: BatchJson;
  tensors: Awaited<ReturnType<typeof fixtureTensors>>;
  masked: boolean;
}

async function open(folder: string): Promise<Opened> {
  const expected = await fixtureJson<Expected>(`${folder}/expected.json`);
  const { base } = expected;
  const { source } = await fixtureTensors(`${base}/model.safetensors`);
  const model = await loadModel(await fixtureJson(`${base}/config.json`), source, {
    quantization: base.endsWith('nf4') ? 'nf4' : 'none',
  });
  return {
    model,
    expected,
    json: await fixtureJson(`${base}/batch.json`),
    tensors: await fixtureTensors(`${folder}/expected.safetensors`),
    masked: model.kind === 'encoder',
  };
}

/** Compares the real tokens of every row; the fixture has zeros for padding. */
async function compareLogits({ model, json, tensors, masked }: Opened, hooks: Hooks, limit = 1e-4): Promise<void> {
  const all = tensors.floats('logits');
  const width = json.input_ids[0]!.length * model.vocabSize;
  const rows = masked
    ? realRows(
        await read(() => projectLogits(requireHead(model, 'lm'), hiddenOf(model, json, 'right', hooks), hooks)),
        json,
        'right',
        model.vocabSize,
      )
    : [];
  for (const [row, length] of json.lengths.entries()) {
    const logits = masked
      ? rows[row]!
      : await textLogits(model, hooks, Int32Array.from(json.input_ids[row]!.slice(0, length)));
    const wanted = all.slice(row * width, row * width + length * model.vocabSize);
    expect(relativeError(logits, wanted), `row ${row}`).toBeLessThan(limit);
  }
}

function batchOf({ json, expected }: Opened): Batch {
  return {
    batchSize: json.input_ids.length,
    length: json.input_ids[0]!.length,
    ids: Int32Array.from(json.input_ids.flat()),
    kind: 'next_token',
    labels: Int32Array.from(json.labels.flat()),
    starts: null,
    lengths: Int32Array.from(json.lengths),
    targetCount: expected.target_tokens,
  };
}

/** Loss and gradients of everything trainable; the caller disposes them. */
function lossOf(opened: Opened, method: Method, checkpointed = false) {
  const { model, json, expected, masked } = opened;
  const own = method.hooks({ ...inference(), training: true });
  const hooks = checkpointed ? { ...own, block: checkpointBlocks(model, method.trainable) } : own;
  const result = valueAndGradients(
    () =>
      masked
        ? maskedLoss(model, json, hooks, true)
        : objectiveLoss(sft, model, hooks, batchOf(opened), { scale: 1 / expected.target_tokens, withGradient: true }),
    [...method.trainable.values()],
  );
  freeInts();
  return result;
}

/** Takes ten steps as the Trainer did; the method is trained afterwards. */
async function tenSteps(model: LanguageModel, method: Method, folder: string, base: string): Promise<void> {
  const reference = await fixtureJson<ExpectedTraining>(`${folder}/expected_training.json`);
  const data = await fixtureJson<{ pad_token_id: number; examples: { ids: number[]; labels: number[] }[] }>(
    `${base}/train_data.json`,
  );
  const settings: TrainingSection = { ...resolveRecipe({ version: 1 }).training, ...reference.training };
  const examples = data.examples.map(({ ids, labels }, row) => ({
    kind: 'next_token' as const,
    row,
    ids: Int32Array.from(ids),
    labels: Int32Array.from(labels),
    starts: null,
    truncatedBy: 0,
  }));
  const batches = createBatchSource(examples, [], {
    batchSize: settings.per_device_train_batch_size,
    accumulation: settings.gradient_accumulation_steps,
    even: false,
    shuffle: false,
    seed: settings.seed,
    padTokenId: data.pad_token_id,
  });
  const optimizer = createOptimizer(method.trainable, settings, { rate: method.rate });
  const state = freshState();
  const setup = { model, method, objective: sft, optimizer, batches, settings, totalSteps: reference.steps.length };
  for (const step of reference.steps) {
    const { stats } = recordStep(setup, state);
    const { loss, gradNorm, finite } = await stats;
    expect(finite).toBe(true);
    expect(relativeError([loss], [step.loss]), `loss of step ${state.step}`).toBeLessThan(1e-3);
    expect(relativeError([gradNorm], [step.grad_norm]), `norm of step ${state.step}`).toBeLessThan(1e-3);
  }
  optimizer.dispose();
}

/** Hooks that compute every linear layer with W + ΔW, and with its bias after merging. */
function merged({ model }: Opened, method: Method): { hooks: Hooks; dispose(): void } {
  const parts = new Map(
    model.linears.map((module) => {
      const weight = tf.tidy(() => {
        const rows = embedding(tf.range(0, module.weight.shape[0]!, 1, 'int32'), module.weight);
        const delta = method.delta(module);
        return delta ? tf.add(rows, delta) : rows;
      });
      const delta = method.biasDelta?.(module) ?? null;
      const bias = delta && module.bias ? tf.add(module.bias, delta) : module.bias;
      if (delta) delta.dispose();
      return [module.path, { weight, bias, own: delta !== null }] as const;
    }),
  );
  return {
    hooks: {
      linear: (module, x, residual) => {
        const part = parts.get(module.path)!;
        return linear({ weight: denseWeight(part.weight), bias: part.bias }, x, residual);
      },
    },
    dispose: () => {
      for (const { weight, bias, own } of parts.values()) tf.dispose(own && bias ? [weight, bias] : [weight]);
    },
  };
}

/** `setUp` prepares the backend for all of these tests. */
export function peftParity(
  backend: string,
  cases: readonly (typeof PEFT_CASES)[number][],
  setUp: () => Promise<void>,
): void {
  describe.each(cases)(`${backend}: %s`, (name) => {
    const folder = `peft/${name}`;
    let opened: Opened;
    let method: Method;

    beforeAll(async () => {
      await setUp();
      opened = await open(folder);
      const ratio = TRAINED.includes(name)
        ? (await fixtureJson<ExpectedTraining>(`${folder}/expected_training.json`)).ratio
        : 1;
      method = await openAdapter(`${folder}/adapter_init`, opened.model, { loraplus_lr_ratio: ratio });
    });
    afterAll(() => {
      method.dispose();
      opened.model.dispose();
      disposeInputs();
    });

    test('logits match with the adapter, with it merged, and with it off (the base)', async () => {
      await compareLogits(opened, method.hooks(inference()));
      if (!method.opened) {
        const other = merged(opened, method);
        await compareLogits(opened, other.hooks);
        other.dispose();
      }
      if (opened.masked) return;
      const ids = Int32Array.from(opened.json.input_ids[0]!.slice(0, 4));
      const base = await textLogits(opened.model, {}, ids);
      expect(await textLogits(opened.model, method.hooks(inference(0)), ids)).toEqual(base);
    });

    test('loss and every gradient match, with the same bits under checkpointing and no tensor left over', async () => {
      const first = lossOf(opened, method);
      tf.dispose([first.value, ...first.grads]);
      const before = tf.memory().numTensors;
      const { value, grads } = lossOf(opened, method);
      expect(tf.memory().numTensors - before).toBe(1 + grads.length);
      expect(relativeError(await readFloats(value), [opened.expected.loss])).toBeLessThan(1e-4);
      const names = [...method.trainable.keys()];
      const wanted = opened.tensors.names.filter((key) => key.startsWith('grad.'));
      expect(names.map((n) => `grad.base_model.model.${n}`).sort()).toEqual(wanted.sort());
      for (const [i, grad] of grads.entries()) {
        const reference = opened.tensors.floats(`grad.base_model.model.${names[i]}`);
        expect(relativeError(await readFloats(grad), reference), names[i]).toBeLessThan(1e-3);
      }
      const again = lossOf(opened, method, true);
      for (const [i, grad] of again.grads.entries()) {
        expect(await readFloats(grad), names[i]).toEqual(await readFloats(grads[i]!));
      }
      tf.dispose([value, ...grads, again.value, ...again.grads]);
    });

    if (!TRAINED.includes(name)) return;
    test('ten steps match the Trainer', async () => {
      const start = await fixtureTensors(`${folder}/adapter_init/adapter_model.safetensors`);
      const final = await fixtureTensors(`${folder}/adapter_final/adapter_model.safetensors`);
      await tenSteps(opened.model, method, folder, opened.expected.base);
      for (const [tensorName, tensor] of method.trainable) {
        const key = `base_model.model.${tensorName}`;
        const from = start.floats(key);
        const moved = (await readFloats(tensor)).map((v, i) => v - from[i]!);
        const wanted = final.floats(key).map((v, i) => v - from[i]!);
        expect(relativeError(moved, wanted), tensorName).toBeLessThan(2e-3);
      }
    });
  });

  describe.each(PISSA_CASES)(`${backend}: %s`, (name, settings) => {
    const folder = `peft/${name}`;
    let opened: Opened;
    let method: Method;

    beforeAll(async () => {
      await setUp();
      opened = await open(folder);
      method = createLora(opened.model, settings, 1, await startPissa(opened.model, settings, 1));
    });
    afterAll(() => {
      method.dispose();
      opened.model.dispose();
      disposeInputs();
    });

    test('starts where PEFT starts: with the same products B·A and an unchanged base', async () => {
      await compareLogits(opened, method.hooks(inference()));
      const paths = opened.model.linears.map(({ path }) => path);
      for (const path of paths) {
        const [a, b] = pairOf(method, path);
        const product = tf.matMul(b, a);
        const wanted = opened.tensors.floats(`product.base_model.model.${path}`);
        expect(relativeError(await readFloats(product), wanted), path).toBeLessThan(1e-4);
        product.dispose();
      }
    });

    test('gradients have the same effect on B·A, whatever the sign of a singular vector', async () => {
      const { value, grads } = lossOf(opened, method);
      expect(relativeError(await readFloats(value), [opened.expected.loss])).toBeLessThan(1e-4);
      const byName = new Map([...method.trainable.keys()].map((key, i) => [key, grads[i]!]));
      for (const { path } of opened.model.linears) {
        const [a, b] = pairOf(method, path);
        const [da, db] = [byName.get(`${path}.lora_A.weight`)!, byName.get(`${path}.lora_B.weight`)!];
        const move = tf.tidy(() => tf.add(tf.matMul(db as tf.Tensor2D, a), tf.matMul(b, da as tf.Tensor2D)));
        const wanted = opened.tensors.floats(`move.base_model.model.${path}`);
        expect(relativeError(await readFloats(move), wanted), path).toBeLessThan(1e-3);
        move.dispose();
      }
      tf.dispose([value, ...grads]);
    });

    if (name !== 'llama-pissa') return;
    test('ten steps match the Trainer, and the export as plain LoRA matches PEFT’s conversion', async () => {
      await tenSteps(opened.model, method, folder, opened.expected.base);
      const theirs = readPeft({
        config: await fixtureJson(`${folder}/adapter_final/adapter_config.json`),
        weights: await fixtureBytes(`${folder}/adapter_final/adapter_model.safetensors`),
      });
      const ours = await loraExport(opened.model, method, settings);
      if (theirs.type !== 'LORA') throw new Error('not a LoRA');
      expect(ours.config).toMatchObject({ r: theirs.config.r, lora_alpha: theirs.config.lora_alpha });
      const plain = createLora(opened.model, { ...settings, ...ours.config }, 0, ours.tensors);
      const reference = await openAdapter(`${folder}/adapter_final`, opened.model);
      for (const module of opened.model.linears) {
        const deltas = [method, plain, reference].map((m) => m.delta(module)!);
        const [own, exported, wanted] = await Promise.all(deltas.map(readFloats));
        expect(relativeError(own!, wanted!), module.path).toBeLessThan(2e-3);
        expect(relativeError(exported!, own!), module.path).toBeLessThan(1e-5);
        tf.dispose(deltas);
      }
      plain.dispose();
      reference.dispose();
    });
  });
}

function pairOf(method: Method, path: string): [tf.Tensor2D, tf.Tensor2D] {
  const get = (side: 'A' | 'B') => method.trainable.get(`${path}.lora_${side}.weight`) as tf.Tensor2D;
  return [get('A'), get('B')];
}
