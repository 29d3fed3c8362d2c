/**
 * Compares tiny Llamas with transformers and PEFT (tests/oracle/make_llama_fixtures.py); one body for both backends.
 * Tolerances are those of tests/oracle/README.md.
 */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBatchSource } from '../../src/data/batches';
import type { Batch } from '../../src/data/types';
import { generate, textLogits } from '../../src/engine/generation/generate';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { inference, type Method } from '../../src/engine/methods/method';
import { loadModel } from '../../src/engine/models';
import type { LanguageModel } from '../../src/engine/models/model';
import { sft } from '../../src/engine/objectives/sft';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { freshState, recordStep } from '../../src/engine/run/loop';
import { readFloats } from '../../src/engine/webgpu/backend';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { TrainingSection } from '../../src/recipe/types';
import { fixtureJson, fixtureTensors, relativeError } from '../fixture-files';
import { openAdapter } from './adapter';
import { lossOf } from './loss';

const CASES = [
  'mha-untied',
  'gqa-tied',
  'gqa-untied-odd',
  'gqa-tied-bf16',
  'llama3-rope-bias',
  'gqa-untied-nf4',
] as const;
const PREFIX = 'base_model.model.';

interface Expected {
  target_tokens: number;
  loss: { base: number; adapter: number; rslora?: number };
  greedy: { prompt: number[]; base: number[]; adapter: number[] };
}
interface BatchJson {
  input_ids: number[][];
  labels: number[][];
  lengths: number[];
}
interface ExpectedTraining {
  training: Partial<TrainingSection>;
  steps: { loss: number; grad_norm: number; learning_rate: number }[];
}

/** Follows the Trainer step by step, up to the adapter that it ended with. */
async function tenSteps(model: LanguageModel, folder: string): Promise<void> {
  const reference = await fixtureJson<ExpectedTraining>(`${folder}/expected_training.json`);
  const data = await fixtureJson<{ pad_token_id: number; examples: { ids: number[]; labels: number[] }[] }>(
    `${folder}/train_data.json`,
  );
  const settings: TrainingSection = {
    ...resolveRecipe({ version: 1 }).training,
    ...reference.training,
  };
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
  const method = await openAdapter(`${folder}/adapter_init`, model);
  const optimizer = createOptimizer(method.trainable, settings);
  const state = freshState();
  const setup = { model, method, objective: sft, optimizer, batches, settings, totalSteps: reference.steps.length };
  for (const step of reference.steps) {
    const { stats, learningRate } = recordStep(setup, state);
    const { loss, gradNorm, finite } = await stats;
    expect(finite).toBe(true);
    expect(Math.abs(learningRate - step.learning_rate)).toBeLessThan(1e-12);
    expect(relativeError([loss], [step.loss]), `loss of step ${state.step}`).toBeLessThan(1e-3);
    expect(relativeError([gradNorm], [step.grad_norm]), `norm of step ${state.step}`).toBeLessThan(1e-3);
  }
  const initial = await fixtureTensors(`${folder}/adapter_init/adapter_model.safetensors`);
  const final = await fixtureTensors(`${folder}/adapter_final/adapter_model.safetensors`);
  for (const [tensorName, tensor] of method.trainable) {
    const key = PREFIX + tensorName;
    const start = initial.floats(key);
    const moved = (await readFloats(tensor)).map((v, i) => v - start[i]!);
    const wanted = final.floats(key).map((v, i) => v - start[i]!);
    expect(relativeError(moved, wanted), tensorName).toBeLessThan(2e-3);
  }
  optimizer.dispose();
  method.dispose();
}

/** `setUp` prepares the backend for all of these tests. */
export function llamaParity(backend: string, setUp: () => Promise<void>): void {
  describe.each(CASES)(`${backend}: %s`, (name) => {
    const folder = `llama/${name}`;
    let model: LanguageModel;
    let expected: Expected;
    let json: BatchJson;
    let tensors: Awaited<ReturnType<typeof fixtureTensors>>;
    let vocab: number;

    beforeAll(async () => {
      await setUp();
      const config = await fixtureJson<Record<string, unknown>>(`${folder}/config.json`);
      const { source } = await fixtureTensors(`${folder}/model.safetensors`);
      model = await loadModel(config, source, { quantization: name.endsWith('nf4') ? 'nf4' : 'none' });
      expected = await fixtureJson(`${folder}/expected.json`);
      json = await fixtureJson(`${folder}/batch.json`);
      tensors = await fixtureTensors(`${folder}/expected.safetensors`);
      vocab = model.vocabSize;
    });
    afterAll(() => {
      model.dispose();
      disposeInputs();
    });

    const batchOf = (): Batch => ({
      batchSize: json.input_ids.length,
      length: json.input_ids[0]!.length,
      ids: Int32Array.from(json.input_ids.flat()),
      kind: 'next_token',
      labels: Int32Array.from(json.labels.flat()),
      starts: null,
      lengths: Int32Array.from(json.lengths),
      targetCount: expected.target_tokens,
    });

    /** Row by row and real positions only: the fixture has zeros for padding. */
    const compareLogits = async (method: Method | null, key: string) => {
      const all = tensors.floats(key);
      const width = json.input_ids[0]!.length * vocab;
      for (const [row, length] of json.lengths.entries()) {
        const ids = Int32Array.from(json.input_ids[row]!.slice(0, length));
        const logits = await textLogits(model, method?.hooks(inference()) ?? {}, ids);
        expect(relativeError(logits, all.slice(row * width, row * width + length * vocab)), `row ${row}`).toBeLessThan(
          1e-4,
        );
      }
    };

    test('logits of the base match', () => compareLogits(null, 'logits.base'));

    test('logits match with the adapter, with it off, and with rsLoRA', async () => {
      const method = await openAdapter(`${folder}/adapter_init`, model);
      await compareLogits(method, 'logits.adapter');
      const ids = Int32Array.from(expected.greedy.prompt);
      const base = await textLogits(model, {}, ids);
      expect(await textLogits(model, method.hooks(inference(0)), ids)).toEqual(base);
      method.dispose();
      if (!tensors.names.includes('logits.rslora')) return;
      const rslora = await openAdapter(`${folder}/adapter_rslora`, model);
      await compareLogits(rslora, 'logits.rslora');
      rslora.dispose();
    });

    test('loss and every LoRA gradient match on a padded batch', async () => {
      const method = await openAdapter(`${folder}/adapter_init`, model);
      const names = [...method.trainable.keys()];
      const before = tf.memory().numTensors;
      const { value, grads } = valueAndGradients(
        () =>
          lossOf(sft, model, method.hooks({ ...inference(), training: true }), batchOf(), {
            scale: 1 / expected.target_tokens,
            withGradient: true,
          }),
        [...method.trainable.values()],
      );
      expect(relativeError(await readFloats(value), [expected.loss.adapter])).toBeLessThan(1e-4);
      for (const [i, grad] of grads.entries()) {
        const reference = tensors.floats(`grad.${PREFIX}${names[i]}`);
        expect(relativeError(await readFloats(grad), reference), names[i]).toBeLessThan(1e-3);
        grad.dispose();
      }
      value.dispose();
      // Five inputs of a batch are kept for the next one; nothing else may be.
      expect(tf.memory().numTensors - before).toBeLessThanOrEqual(5);
      const again = tf.memory().numTensors;
      const second = valueAndGradients(
        () =>
          lossOf(sft, model, method.hooks({ ...inference(), training: true }), batchOf(), {
            scale: 1,
            withGradient: true,
          }),
        [...method.trainable.values()],
      );
      tf.dispose([second.value, ...second.grads]);
      expect(tf.memory().numTensors).toBe(again);
      const evaluation = tf.tidy(() =>
        lossOf(sft, model, {}, batchOf(), { scale: 1 / expected.target_tokens, withGradient: false }),
      );
      expect(relativeError(await readFloats(evaluation), [expected.loss.base])).toBeLessThan(1e-4);
      evaluation.dispose();
      method.dispose();
    });

    test('16 greedy tokens match with a key/value cache', async () => {
      const options = { temperature: 0, topP: 1, seed: 0, maxNewTokens: 16, stopTokenIds: [] };
      const prompt = Int32Array.from(expected.greedy.prompt);
      expect([...(await generate(model, {}, prompt, options))]).toEqual(expected.greedy.base);
      const method = await openAdapter(`${folder}/adapter_init`, model);
      expect([...(await generate(model, method.hooks(inference()), prompt, options))]).toEqual(expected.greedy.adapter);
      method.dispose();
    });

    // make_llama_fixtures.py trains every case but this one.
    if (name !== 'llama3-rope-bias') test('ten AdamW steps match the Trainer', () => tenSteps(model, folder));
  });
}
