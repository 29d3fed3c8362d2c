/**
 * Compares classification heads, masked words, label smoothing and full fine-tuning with transformers and its Trainer
 * (tests/oracle/make_task_fixtures.py); one body for both backends. Tolerances are those of tests/oracle/README.md.
 */

import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IGNORE_INDEX } from '../../src/base/ignore-index';
import { maskTokens } from '../../src/base/masking';
import type { Batch, TaskData } from '../../src/data/types';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { createFull } from '../../src/engine/methods/full';
import { inference, type Method } from '../../src/engine/methods/method';
import { loadModel } from '../../src/engine/models';
import { withHead as addHead, type CreatedHead } from '../../src/engine/models/heads';
import type { LanguageModel } from '../../src/engine/models/model';
import { createTaskHead } from '../../src/engine/models/task-head';
import { createObjective } from '../../src/engine/objectives';
import type { Objective } from '../../src/engine/objectives/objective';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { checkpointBlocks } from '../../src/engine/run/checkpointing';
import { freshState, recordStep } from '../../src/engine/run/loop';
import { readFloats } from '../../src/engine/webgpu/backend';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { ObjectiveSection, TrainingSection } from '../../src/recipe/types';
import { fixtureJson, fixtureTensors, relativeError } from '../fixture-files';
import { lossOf, resultOf } from './loss';

export const FAMILIES = ['bert', 'roberta', 'distilbert', 'gpt2', 'gpt_neox', 'llama'];
const SEQUENCE = ['single_label_classification', 'multi_label_classification', 'regression'] as const;
type TaskName = (typeof SEQUENCE)[number] | 'token_classification' | 'masked_lm' | 'sft';
const tasksOf = (family: string): TaskName[] => [
  ...SEQUENCE,
  'token_classification',
  ['bert', 'roberta', 'distilbert'].includes(family) ? 'masked_lm' : 'sft',
];

const MASK = 5;
const isSpecial = (id: number) => (id === 3 || id === 4 ? 1 : 0);

interface TaskRecord {
  ids: number[][];
  lengths: number[];
  classes?: number[];
  labels?: number[][];
  loss: number;
  loss_smoothed?: number;
  seed?: number;
  pass?: number;
  mlm_probability?: number;
  hidden?: number[][];
  targets?: number;
}

interface RunRecord {
  family: string;
  task: TaskName;
  labels: number;
  smoothing: number;
  accumulate: number;
  batch_size: number;
  mlm_probability?: number;
  seed?: number;
  training: Partial<TrainingSection>;
  examples: { ids: number[]; classes?: number[]; labels?: number[] }[];
  steps: { loss: number; grad_norm: number; learning_rate: number; clipped: boolean }[];
}

type Tensors = Awaited<ReturnType<typeof fixtureTensors>>;

const folderOf = (family: string) => (family === 'llama' ? 'llama/gqa-untied-odd' : `families/${family}`);
const openModel = async (family: string) =>
  loadModel(
    await fixtureJson(`${folderOf(family)}/config.json`),
    (await fixtureTensors(`${folderOf(family)}/model.safetensors`)).source,
  );

function taskData(task: TaskName, labels: number): TaskData | null {
  if (task === 'masked_lm' || task === 'sft') return null;
  return { problemType: task, labels: Array.from({ length: labels }, (_, i) => `label ${i}`) };
}

function objectiveFor(task: TaskName, model: LanguageModel, labels: number, mlm_probability = 0): Objective {
  const section: ObjectiveSection =
    task === 'masked_lm'
      ? { type: task, mlm_probability }
      : task === 'sft'
        ? { type: task, assistant_only_loss: true }
        : task === 'token_classification'
          ? { type: task }
          : { type: 'sequence_classification', problem_type: task };
  return createObjective(section, {
    maskTokenId: MASK,
    vocabSize: model.vocabSize,
    task: taskData(task, labels),
  });
}

/** The model with the head whose tensors are stored under `at`, if the task has one. */
async function withHead(model: LanguageModel, task: TaskName, labels: number, at: string, tensors: Tensors) {
  const data = taskData(task, labels);
  if (!data) return { model, created: null };
  const prefix = `${at}head.`;
  const values = new Map(
    tensors.names
      .filter((name) => name.startsWith(prefix))
      .map((name) => [name.slice(prefix.length), { shape: tensors.shape(name), data: tensors.floats(name) }]),
  );
  const created = await createTaskHead(model, data, { seed: 1, values });
  expect(created.tensors.map(({ name }) => name).sort()).toEqual([...values.keys()].sort());
  return { model: addHead(model, 'classification', created), created };
}

function batchOf(rows: { ids: number[]; labels?: number[]; classes?: number[] }[], task: TaskName): Batch {
  const length = Math.max(...rows.map(({ ids }) => ids.length));
  const padded = (values: (row: (typeof rows)[number]) => number[], pad: number) =>
    Int32Array.from(rows.flatMap((row) => Array.from({ length }, (_, t) => values(row)[t] ?? pad)));
  const own = {
    batchSize: rows.length,
    length,
    ids: padded(({ ids }) => ids, 0),
    lengths: Int32Array.from(rows, ({ ids }) => ids.length),
  };
  const labels = padded((row) => row.labels ?? [], IGNORE_INDEX);
  const labelled = (first: number) => labels.filter((label, i) => label !== IGNORE_INDEX && i % length >= first).length;
  switch (task) {
    case 'sft':
      return { kind: 'next_token', ...own, labels, starts: null, targetCount: labelled(1) };
    case 'token_classification':
      return { kind: 'token_labels', ...own, labels, targetCount: labelled(0) };
    case 'masked_lm': {
      const special = Uint8Array.from(padded(({ ids }) => ids.map(isSpecial), 1));
      return { kind: 'hidden_tokens', ...own, special, targetCount: special.filter((s) => s === 0).length };
    }
    default: {
      const targets = Float32Array.from(rows.flatMap((row) => row.classes ?? []));
      return { kind: 'text_targets', ...own, targets, width: targets.length / rows.length, targetCount: rows.length };
    }
  }
}

/** As stored in the checkpoint: on the device, GPT-2's linear layers are transposed. */
async function asStored(tensor: tf.Tensor, name: string, model: LanguageModel): Promise<Float32Array> {
  const own = model.tensors.find((t) => t.name === name);
  const turned = own?.value.kind === 'matrix' && own.value.transposed;
  const stored = turned ? tf.tidy(() => tf.transpose(tensor)) : tensor;
  const values = await readFloats(stored);
  if (turned) stored.dispose();
  return values;
}

/** `setUp` prepares the backend for all of these tests. */
export function taskParity(backend: string, families: readonly string[], setUp: () => Promise<void>): void {
  describe.each(families)(`${backend}: tasks of %s`, (family) => {
    let base: LanguageModel;
    let records: Record<TaskName, TaskRecord>;
    let tensors: Tensors;
    beforeAll(async () => {
      await setUp();
      base = await openModel(family);
      records = await fixtureJson(`tasks/${family}.json`);
      tensors = await fixtureTensors(`tasks/${family}.safetensors`);
    });
    afterAll(() => {
      base.dispose();
      disposeInputs();
    });

    /** What a task needs: the model with its head, full fine-tuning of it, the objective and the batch. */
    async function open(task: TaskName) {
      const record = records[task];
      const { classes } = record;
      const at = `${task}.`;
      const labels =
        task === 'token_classification'
          ? tensors.shape(`${at}scores`)[2]!
          : classes
            ? tensors.shape(`${at}scores`)[1]!
            : 0;
      const { model, created } = await withHead(base, task, labels, at, tensors);
      const width = classes ? classes.length / record.lengths.length : 0;
      const rows = record.lengths.map((length, b) => ({
        ids: record.ids[b]!.slice(0, length),
        labels: record.labels?.[b]?.slice(0, length),
        classes: classes?.slice(b * width, (b + 1) * width),
      }));
      const method = createFull(model);
      return {
        record,
        model,
        method,
        batch: batchOf(rows, task),
        objective: objectiveFor(task, model, labels, record.mlm_probability),
        close: () => closeTask(method, created),
      };
    }

    test.each(tasksOf(family))('%s: scores, loss, smoothed loss and gradients match', async (task) => {
      const before = tf.memory().numTensors;
      const { record, model, method, batch, objective, close } = await open(task);
      const hooks = method.hooks({ ...inference(), training: true });
      const draw = { seed: record.seed ?? 0, pass: record.pass ?? 0 };
      const targets = objective.targets?.(batch, draw) ?? batch.targetCount;
      expect(targets).toBeGreaterThan(0);
      const options = { scale: 1 / targets, withGradient: true, draw };
      if (record.hidden && batch.kind === 'hidden_tokens') {
        const masked = maskTokens(
          batch,
          { mlm_probability: record.mlm_probability!, maskTokenId: MASK, vocabSize: model.vocabSize },
          draw,
        );
        expect([...masked.ids]).toEqual(record.hidden.flat());
        expect(targets).toBe(record.targets);
      }
      const scores = tf.tidy(() => resultOf(objective, model, hooks, batch, options).scores?.clone());
      expect(scores !== undefined, 'has scores').toBe(model.heads.classification !== undefined);
      if (scores) {
        const wanted = tensors.floats(`${task}.scores`);
        const given = await readFloats(scores);
        scores.dispose();
        // Scores of padding may be anything.
        const real = given.map((value, i) => {
          const row = Math.floor((i * batch.batchSize) / given.length);
          const token = Math.floor((i * batch.batchSize * batch.length) / given.length) % batch.length;
          return task === 'token_classification' && token >= batch.lengths[row]! ? 0 : value;
        });
        expect(relativeError(real, wanted)).toBeLessThan(1e-4);
      }
      const names = [...method.trainable.keys()];
      const { value, grads } = valueAndGradients(
        () => lossOf(objective, model, hooks, batch, options),
        [...method.trainable.values()],
      );
      expect(relativeError(await readFloats(value), [record.loss])).toBeLessThan(1e-4);
      const prefix = `${task}.grad.`;
      const compared = tensors.names.filter((name) => name.startsWith(prefix));
      expect(compared.length).toBeGreaterThan(3);
      for (const name of compared) {
        const own = name.slice(prefix.length);
        expect(names).toContain(own);
        const gradient = await asStored(grads[names.indexOf(own)]!, own, model);
        expect(relativeError(gradient, tensors.floats(name)), own).toBeLessThan(1e-3);
      }
      // The same bits when every block is recomputed in the backward pass.
      const again = valueAndGradients(
        () => lossOf(objective, model, { ...hooks, block: checkpointBlocks(model, method.trainable) }, batch, options),
        [...method.trainable.values()],
      );
      for (const [i, grad] of again.grads.entries()) {
        expect(await readFloats(grad), names[i]).toEqual(await readFloats(grads[i]!));
      }
      tf.dispose([value, ...grads, again.value, ...again.grads]);
      if (record.loss_smoothed !== undefined) {
        const loss = tf.tidy(() =>
          lossOf(objective, model, hooks, batch, { ...options, withGradient: false, smoothing: 0.1 }),
        );
        expect(relativeError(await readFloats(loss), [record.loss_smoothed])).toBeLessThan(1e-4);
        loss.dispose();
      }
      close();
      disposeInputs();
      expect(tf.memory().numTensors, 'tensors left').toBeLessThanOrEqual(before);
    });
  });
}

function closeTask(method: Method, created: CreatedHead<'classification'> | null): void {
  method.dispose();
  created?.dispose();
}

/** Ten steps of the Trainer over every weight, for the cases with the given indices in training.json. */
export function taskTraining(backend: string, cases: readonly number[], setUp: () => Promise<void>): void {
  describe(`${backend}: full fine-tuning matches the Trainer`, () => {
    beforeAll(setUp);
    test.each(cases)('run %i', async (number) => {
      const run = (await fixtureJson<RunRecord[]>('tasks/training.json'))[number]!;
      const tensors = await fixtureTensors('tasks/training.safetensors');
      const at = `${run.family}.${run.task}.`;
      const base = await openModel(run.family);
      const { model, created } = await withHead(base, run.task, run.labels, at, tensors);
      const method = createFull(model);
      const settings: TrainingSection = {
        ...resolveRecipe({ version: 1 }).training,
        ...run.training,
        warmup_ratio: 0,
        model_dropout: false,
        label_smoothing_factor: run.smoothing,
        seed: run.seed ?? 0,
      };
      const optimizer = createOptimizer(method.trainable, settings);
      const start = new Map<string, Float32Array>();
      for (const [name, tensor] of method.trainable) start.set(name, await asStored(tensor, name, model));

      const micro = Array.from({ length: run.examples.length / run.batch_size }, (_, i) =>
        batchOf(run.examples.slice(i * run.batch_size, (i + 1) * run.batch_size), run.task),
      );
      const stepsPerEpoch = Math.ceil(micro.length / run.accumulate);
      const setup = {
        model,
        method,
        objective: objectiveFor(run.task, model, run.labels, run.mlm_probability),
        optimizer,
        settings,
        totalSteps: run.steps.length,
        batches: {
          stepsPerEpoch,
          microBatches: (step: number) => {
            const first = (step % stepsPerEpoch) * run.accumulate;
            return micro.slice(first, first + run.accumulate);
          },
          evaluation: () => [],
        },
      };
      const state = freshState();
      for (const [i, wanted] of run.steps.entries()) {
        const { stats, learningRate } = recordStep(setup, state);
        const { loss, gradNorm } = await stats;
        expect(learningRate, `rate of step ${i}`).toBeCloseTo(wanted.learning_rate, 9);
        expect(relativeError([loss], [wanted.loss]), `loss of step ${i}`).toBeLessThan(1e-3);
        expect(relativeError([gradNorm], [wanted.grad_norm]), `norm of step ${i}`).toBeLessThan(1e-3);
        expect(gradNorm > settings.max_grad_norm).toBe(wanted.clipped);
      }
      const moves = tensors.names.filter((name) => name.startsWith(`${at}move.`));
      expect(moves.length).toBeGreaterThan(3);
      for (const name of moves) {
        const own = name.slice(`${at}move.`.length);
        const end = await asStored(method.trainable.get(own)!, own, model);
        const move = end.map((value, i) => value - start.get(own)![i]!);
        expect(relativeError(move, tensors.floats(name)), own).toBeLessThan(2e-3);
      }
      optimizer.dispose();
      closeTask(method, created);
      base.dispose();
      disposeInputs();
    });
  });
}
