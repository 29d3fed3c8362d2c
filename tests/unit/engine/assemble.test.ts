/** A run as it is put together: what it trains, what it compares with, and what it leaves behind. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { loraShapes } from '../../../src/engine/methods/lora';
import type { NamedTensors } from '../../../src/engine/methods/tensors';
import type { LanguageModel } from '../../../src/engine/models/model';
import * as objectives from '../../../src/engine/objectives';
import { sft } from '../../../src/engine/objectives/sft';
import { assembleRun, type RunOptions } from '../../../src/engine/run/assemble';
import { estimateFisher } from '../../../src/engine/run/estimate-fisher';
import { wholeText } from '../../../src/engine/run/evaluate';
import { freshState, recordStep } from '../../../src/engine/run/loop';
import type { LoraMethod } from '../../../src/methods/lora';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import { numTensors, tinyModel } from '../../parity/tiny-run';

let base: LanguageModel;
beforeAll(async () => {
  await tf.setBackend('cpu');
  base = await tinyModel('gqa-tied');
});
beforeEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => base.dispose());

const TEXT = wholeText(Int32Array.of(5, 9, 33, 7, 12, 4));

function options(input: Partial<RecipeInput> = {}): RunOptions {
  const { method, objective, training } = resolveRecipe({ version: 1, method: { type: 'lora', r: 2 }, ...input });
  return {
    ...{ method, objective, training, task: null, maskTokenId: null },
    ...{ values: () => undefined, continued: null, baseText: null },
  };
}

const adapter = (model: LanguageModel, section: LoraMethod): NamedTensors =>
  new Map(
    [...loraShapes(model, section)].map(([name, { shape }], n) => [
      name,
      { shape, data: Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => 0.1 * Math.sin(n + 7 * i)) },
    ]),
  );

test('an adapter as it was loaded is kept for an objective that compares with it, and for no other', async () => {
  const before = numTensors();
  const given = options();
  const loaded = (model: LanguageModel) => adapter(model, given.method as LoraMethod);
  const continued = { ...given, values: loaded, continued: loaded };
  const plain = await assembleRun(base, continued);
  expect(plain.reference).toBeNull();
  plain.dispose();

  vi.spyOn(objectives, 'createObjective').mockReturnValue({ ...sft, usesReference: true });
  // A new adapter is compared with the base, which needs no copy.
  const fresh = await assembleRun(base, given);
  expect(fresh.reference).toBeNull();
  fresh.dispose();

  const seen: number[] = [];
  const run = await assembleRun(base, { ...continued, attached: (methods) => seen.push(methods.length) });
  expect(seen).toEqual([2]);
  const { attached, reference, optimizer, objective } = run;
  const valuesOf = (tensors: Map<string, tf.Tensor>) => [...tensors.values()].map((t) => t.dataSync().slice());
  const start = valuesOf(attached.method.trainable);
  expect(valuesOf(reference!.trainable)).toEqual(start);
  const batches = { stepsPerEpoch: 1, microBatches: () => [TEXT], evaluation: () => [] };
  const settings = { ...given.training, warmup_ratio: 0 };
  const setup = { ...attached, objective, reference, optimizer, batches, settings, totalSteps: 1 };
  await recordStep(setup, freshState()).stats;
  expect(valuesOf(attached.method.trainable)).not.toEqual(start);
  expect(valuesOf(reference!.trainable)).toEqual(start);

  // What was trained outlives the run.
  run.release();
  expect([...attached.method.trainable.values()].every((t) => !t.isDisposed)).toBe(true);
  expect([...reference!.trainable.values()].every((t) => t.isDisposed)).toBe(true);
  attached.dispose();
  disposeInputs();
  expect(numTensors()).toBe(before);
});

test("the optimiser has the method's rates", async () => {
  const rates = async (ratio: number) => {
    const run = await assembleRun(base, options({ method: { type: 'lora', r: 2, loraplus_lr_ratio: ratio } }));
    const found = new Set(run.optimizer.layout.places.map(({ rate }) => rate));
    run.dispose();
    return [...found].sort();
  };
  expect(await rates(1)).toEqual([1]);
  expect(await rates(16)).toEqual([1, 16]);
});

test('EWC asks for the Fisher information of the learned text, L2-SP for none; without text EWC is refused', async () => {
  const before = numTensors();
  const fisher = vi.fn(estimateFisher);
  const penalised = (training: RecipeInput['training'], text = true) =>
    assembleRun(base, {
      ...options({ method: { type: 'full' }, training, dataset: { base_text: 'file:base.txt' } }),
      baseText: text ? () => ({ measured: [], learned: [TEXT] }) : null,
      fisher,
    });
  (await penalised({ l2_sp_alpha: 0.1 })).dispose();
  expect(fisher).not.toHaveBeenCalled();
  (await penalised({ ewc_lambda: 1 })).dispose();
  expect(fisher).toHaveBeenCalledOnce();
  expect(fisher.mock.calls[0]![1]).toEqual([TEXT]);
  await expect(penalised({ ewc_lambda: 1 }, false)).rejects.toMatchObject({ where: 'dataset.base_text' });
  disposeInputs();
  expect(numTensors()).toBe(before);
});

test('what fails on the way leaves nothing behind', async () => {
  const before = numTensors();
  const wrong = options({ objective: { type: 'masked_lm' } });
  await expect(assembleRun(base, wrong)).rejects.toThrow('mask token');
  const strange = { ...options(), values: () => new Map([['nothing', { shape: [1], data: new Float32Array(1) }]]) };
  await expect(assembleRun(base, strange)).rejects.toThrow('lacks the tensor');
  expect(numTensors()).toBe(before);
});
