/**
 * Trains one cell of the matrix as in a run: a few steps on one batch, from the recipe to the saved files and back. Each
 * requirement is stated where it is checked.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { createBatchSource } from '../../../src/data/batches';
import { textScores } from '../../../src/engine/classification/classify';
import { textLogits } from '../../../src/engine/generation/generate';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { inference } from '../../../src/engine/methods/method';
import type { LanguageModel } from '../../../src/engine/models/model';
import { createObjective } from '../../../src/engine/objectives';
import { createOptimizer } from '../../../src/engine/optim/optimizer';
import { attachMethod } from '../../../src/engine/run/attach';
import { evaluate } from '../../../src/engine/run/evaluate';
import { freshState, recordStep } from '../../../src/engine/run/loop';
import type { Outside } from '../../../src/engine/run/pass';
import { prepareBatches } from '../../../src/engine/run/prepare';
import { trainedTensors, VALUE, VALUE_TASK } from '../../../src/engine/run/value-model';
import type { Hooks } from '../../../src/engine/types';
import { readFloats } from '../../../src/engine/webgpu/backend';
import { leavesModel, methodOf } from '../../../src/methods';
import { paceOf } from '../../../src/objectives';
import { combinationProblem } from '../../../src/recipe/compatibility';
import { adapterFiles } from '../../../src/workers/engine/adapter-files';
import { type OpenAdapter, openAdapter, openMethod } from '../../../src/workers/engine/adapters';
import { relativeError } from '../../fixture-files';
import { type Cell, combined, type MatrixFamily, recipeOf, STEPS } from './cells';
import { examplesOf, INIT_TEXT, MASK, PROBES, taskOf } from './data';
import { exported, type LoadedFolder, openFamily, snapshot, tensorsAlive } from './folder';
import { declaredNames } from './names';

export interface OpenFamily extends LoadedFolder {
  /** The base's tensors as loaded. */
  bytes: Map<string, Uint8Array>;
  /** The base's outputs for the probes. */
  answers: Float32Array[];
}

export async function openForCells(family: MatrixFamily): Promise<OpenFamily> {
  const loaded = await openFamily(family);
  // A bare encoder has no outputs to compare.
  const answers = loaded.base.heads.lm ? await answersOf(loaded.base, {}) : [];
  return { ...loaded, bytes: await snapshot(loaded.base.tensors), answers };
}

/** The output for each probe: scores of the task's head if the model has one, otherwise logits over tokens. */
async function answersOf(model: LanguageModel, hooks: Hooks): Promise<Float32Array[]> {
  const answers: Float32Array[] = [];
  for (const ids of PROBES) {
    answers.push(
      model.heads.classification ? await textScores(model, hooks, ids) : await textLogits(model, hooks, ids),
    );
  }
  return answers;
}

async function valuesOf(tensors: ReadonlyMap<string, tf.Tensor>): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const [name, tensor] of tensors) values.set(name, await readFloats(tensor));
  return values;
}

const same = (a: Float32Array, b: Float32Array) => a.length === b.length && a.every((v, i) => Object.is(v, b[i]));

/** Returns the loss before and after. */
export async function trainCell(family: OpenFamily, cell: Cell): Promise<{ before: number; after: number }> {
  const alive = tensorsAlive();
  const { base, weights } = family;
  const recipe = recipeOf(cell);
  expect(combinationProblem(recipe, combined(cell.family))).toBeNull();
  const { training } = recipe;
  const task = taskOf(cell);
  const open = await openMethod(base, recipe.method, {
    objective: recipe.objective.type,
    task,
    seed: training.seed,
    initText: INIT_TEXT,
    head: { source: weights },
  });
  const { model, method } = open;
  expect([...method.trainable.keys()].sort(), 'trained tensors').toEqual(declaredNames(model, cell).sort());
  const head = await snapshot(model.tensors.filter(({ task }) => task));
  const start = await valuesOf(method.trainable);
  const constants = await valuesOf(method.constants ?? new Map());

  const { losses, finite } = await train(base, open, recipe, cell);
  expect(finite).toBe(true);
  const [before, after] = losses as [number, number];
  expect(after, 'the loss falls').toBeLessThan(0.999 * before);

  const end = await valuesOf(method.trainable);
  const still = [...end.keys()].filter((name) => same(end.get(name)!, start.get(name)!));
  expect(still, 'declared but not moved').toEqual([]);
  expect(await valuesOf(method.constants ?? new Map())).toEqual(constants);
  expect(await snapshot(base.tensors), 'the base').toEqual(family.bytes);
  expect(await snapshot(model.tensors.filter(({ task }) => task)), 'the original head').toEqual(head);

  if (!task) expect(await answersOf(model, method.hooks(inference(0))), 'switched off').toEqual(family.answers);
  const trained = await answersOf(model, method.hooks(inference()));
  if (!task) expect(trained).not.toEqual(family.answers);
  const again = await answersAgain(family, open);
  if (!roundsWhenSaved(open)) expect(again, 'saved and loaded again').toEqual(trained);
  else for (const [i, values] of again.entries()) expect(relativeError(values, trained[i]!)).toBeLessThan(1e-5);

  open.dispose();
  disposeInputs();
  expect(tensorsAlive(), 'tensors left').toBeLessThanOrEqual(alive);
  return { before, after };
}

/** What is good about an answer: tokens below the middle of the vocabulary. */
const JUDGE: Outside = {
  score: async (answers) => ({
    ...{ names: ['low'], weights: [1] },
    values: answers.map(({ ids }) => [ids.reduce((sum, id) => sum + (id < 24 ? 1 : 0), 0)]),
    texts: answers.map(() => ''),
  }),
  show: () => {},
};

/** Takes the steps on one batch and measures its loss before and after. */
async function train(
  base: LanguageModel,
  { model, method }: OpenAdapter,
  recipe: ReturnType<typeof recipeOf>,
  cell: Cell,
) {
  const { training } = recipe;
  const objective = createObjective(recipe.objective, {
    maskTokenId: MASK,
    vocabSize: model.vocabSize,
    task: taskOf(cell),
  });
  const examples = examplesOf(cell);
  const batches = createBatchSource(examples, examples, {
    batchSize: training.per_device_train_batch_size,
    accumulation: training.gradient_accumulation_steps,
    shuffle: false,
    seed: training.seed,
    padTokenId: 0,
    bucket: 1,
    pace: paceOf(recipe.objective, training),
  });
  const value = objective.usesValue
    ? await attachMethod(base, recipe.method, { seed: training.seed, task: VALUE_TASK, initText: INIT_TEXT })
    : null;
  const run = { model, method, objective, value, outside: JUDGE, tokens: { stop: [4], pad: 0 } };
  // What an objective makes of the data is made once: its answers are used for every step.
  const moment = { step: 0, settings: training, draw: { seed: training.seed, pass: 0 }, stopped: () => false };
  const micro = await prepareBatches(run, batches.microBatches(0), { ...moment, report: () => {} });
  const measured = objective.prepare ? micro : batches.evaluation();
  const measure = async () => (await evaluate(run, measured))!.loss;
  const optimizer = createOptimizer(trainedTensors(method, value), training, {
    rate: method.rate ? (name) => method.rate!(name.replace(VALUE, '')) : undefined,
  });
  try {
    const losses = [await measure()];
    const state = freshState();
    let finite = true;
    const setup = { ...run, optimizer, batches, settings: training, totalSteps: STEPS };
    while (state.step < STEPS)
      finite = (await recordStep(setup, state, objective.prepare ? micro : undefined).stats).finite && finite;
    losses.push(await measure());
    return { losses, finite };
  } finally {
    optimizer.dispose();
    value?.dispose();
  }
}

/** Scales that not all readers of a file know are multiplied into B (engine/methods/lora-export.ts). */
const roundsWhenSaved = ({ settings }: OpenAdapter) =>
  settings.type === 'lora' && (settings.use_rslora || Object.keys(settings.alpha_pattern).length > 0);

/** The outputs after saving the method's files and loading them again. */
async function answersAgain({ base, checked, weights }: OpenFamily, open: OpenAdapter): Promise<Float32Array[]> {
  if (leavesModel(methodOf(open.settings))) {
    const again = await exported(open, checked);
    expect(again.model.heads.classification?.labels).toEqual(open.model.heads.classification?.labels);
    expect(again.model.heads.classification?.problemType).toEqual(open.model.heads.classification?.problemType);
    const answers = await answersOf(again.model, {});
    again.dispose();
    return answers;
  }
  const files = await adapterFiles(open, { name: 'tiny', revision: null });
  const again = await openAdapter(base, files, { source: weights });
  expect(again.settings.type).toBe(open.settings.type);
  expect(again.model.heads.classification?.labels).toEqual(open.model.heads.classification?.labels);
  const answers = await answersOf(again.model, again.method.hooks(inference()));
  again.dispose();
  return answers;
}
