/**
 * Compares reward modelling with TRL's RewardTrainer (tests/oracle/make_reward_model_fixtures.py): its loss, gradient and metrics on given
 * scores, ten steps with every logged metric, and an evaluation; one body for both backends.
 */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createBatchSource } from '../../src/data/batches';
import { withoutPadding } from '../../src/data/trailing-padding';
import type { PairBatch, PairExample } from '../../src/data/types';
import { rewardScores } from '../../src/engine/classification/reward-scores';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { pairLoss } from '../../src/engine/kernels/losses/pair-loss';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { inference } from '../../src/engine/methods/method';
import { loadModel } from '../../src/engine/models';
import type { LanguageModel } from '../../src/engine/models/model';
import type { Objective, Pass } from '../../src/engine/objectives/objective';
import { rewardModel } from '../../src/engine/objectives/reward';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { type Attached, attachMethod } from '../../src/engine/run/attach';
import { evaluate } from '../../src/engine/run/evaluate';
import { freshState, recordStep } from '../../src/engine/run/loop';
import { readFloats } from '../../src/engine/webgpu/backend';
import { current } from '../../src/engine/webgpu/live';
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from '../../src/formats/peft';
import { REWARD_TASK } from '../../src/objectives/reward';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { TrainingSection } from '../../src/recipe/types';
import { openAdapter } from '../../src/workers/engine/adapters';
import { fixtureBytes, fixtureJson, fixtureTensors, relativeError } from '../fixture-files';

const METRICS = ['accuracy', 'margin', 'min_reward', 'mean_reward', 'max_reward'] as const;
type Metrics = Record<(typeof METRICS)[number], number>;

interface GivenScores {
  chosen: number[];
  rejected: number[];
  margins?: number[];
  centring?: number;
  loss: number;
  gradient: number[];
  metrics: Metrics;
}

interface Pair {
  chosen_ids: number[];
  rejected_ids: number[];
  margin?: number;
}

interface RunRecord {
  name: string;
  family: string;
  lora: boolean;
  accumulate: number;
  batch_size: number;
  centring: number;
  training: Partial<TrainingSection>;
  pairs: Pair[];
  held: Pair[];
  pad: number;
  steps: (Metrics & { loss: number; grad_norm: number; learning_rate: number })[];
  evaluation: Metrics & { loss: number };
}

export const REWARD_RUNS = ['llama-full', 'llama-lora', 'gpt2-full', 'gpt2-lora', 'bert-full', 'bert-lora'] as const;

const folderOf = (family: string) => (family === 'llama' ? 'llama/gqa-untied-odd' : `families/${family}`);
export const openBase = async (family: string): Promise<LanguageModel> =>
  loadModel(
    await fixtureJson(`${folderOf(family)}/config.json`),
    (await fixtureTensors(`${folderOf(family)}/model.safetensors`)).source,
  );

/** As tokenised for a decoder: what transformers does not read is not there. */
const examplesOf = (pairs: Pair[], pad: number): PairExample[] =>
  pairs.map(({ chosen_ids, rejected_ids, margin = 0 }, i) => ({
    kind: 'pair',
    row: i + 1,
    ids: withoutPadding(Int32Array.from(chosen_ids), pad),
    rejected: withoutPadding(Int32Array.from(rejected_ids), pad),
    promptLength: 1,
    margin,
    truncatedBy: 0,
  }));

/** The scores [2P, 1] in place of a model's. */
function passOf(scores: tf.Tensor): Pass {
  const head = { kind: 'texts', states: 'text', scores: () => scores };
  const model = { heads: { classification: head }, family: 'given' } as unknown as LanguageModel;
  const floats: Pass['policy']['floats'] = (_use, values, shape) => tf.tensor(current(values), shape, 'float32');
  const policy = { model, hooks: {}, hidden: () => scores, floats } as unknown as Pass['policy'];
  return { policy, scale: 1, smoothing: 0, withGradient: true, draw: { seed: 0, pass: 0 } } as unknown as Pass;
}

export const pairsOf = (pairs: number, margins: number[] = []): PairBatch => ({
  kind: 'pair',
  batchSize: 2 * pairs,
  length: 1,
  ids: new Int32Array(2 * pairs),
  lengths: new Int32Array(2 * pairs).fill(1),
  pairs,
  labels: new Int32Array(2 * pairs).fill(-100),
  margins: Float32Array.from({ length: pairs }, (_, p) => margins[p] ?? 0),
  rows: new Int32Array(pairs),
  targetCount: pairs,
});

export function rewardLoss(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: loss of pairs`, () => {
    beforeAll(setUp);
    test.each([0, 1, 2, 3, 4])('loss, gradient and metrics are TRL’s on given scores: case %i', async (number) => {
      const given = (await fixtureJson<GivenScores[]>('reward-models/loss.json'))[number]!;
      const pairs = given.chosen.length;
      const scores = tf.tensor2d([...given.chosen, ...given.rejected], [2 * pairs, 1]);
      const margins = tf.tensor1d(Array.from({ length: pairs }, (_, p) => given.margins?.[p] ?? 0));
      const centring = given.centring ?? 0;
      const { value, grads } = valueAndGradients(
        () => pairLoss(scores, margins, { scale: 1 / pairs, centring }),
        [scores],
      );
      expect(Math.abs((await readFloats(value))[0]! - given.loss) / Math.max(1, given.loss)).toBeLessThan(1e-5);
      expect(relativeError(await readFloats(grads[0]!), given.gradient)).toBeLessThan(1e-5);

      const objective = rewardModel({ center_rewards_coefficient: centring });
      const pass = { ...passOf(scores), scale: 1 / pairs };
      const { loss, metrics, targets } = objective.loss(pass, pairsOf(pairs, given.margins));
      expect(targets).toBe(pairs);
      expect(await readFloats(loss)).toEqual(await readFloats(value));
      expect(Object.keys(metrics).sort()).toEqual([...METRICS].sort());
      for (const name of METRICS) {
        expect((await readFloats(metrics[name]!))[0], name).toBeCloseTo(given.metrics[name], 5);
      }
      tf.dispose([scores, margins, value, ...grads, loss, ...Object.values(metrics)]);
    });

    test('a constant added to all scores changes nothing without centring, and something with it', async () => {
      const lossAt = async (shift: number, centring: number) => {
        const scores = tf.tensor2d(
          [1.2, 0.1, -3, 0.4, 0.6, 2].map((s) => s + shift),
          [6, 1],
        );
        const margins = tf.tensor1d([0.5, 0, 0.25]);
        const loss = pairLoss(scores, margins, { scale: 1 / 3, centring });
        const [value] = await readFloats(loss);
        tf.dispose([scores, margins, loss]);
        return value!;
      };
      expect(await lossAt(5, 0)).toBeCloseTo(await lossAt(0, 0), 5);
      expect(Math.abs((await lossAt(5, 0.01)) - (await lossAt(0, 0.01)))).toBeGreaterThan(0.1);
    });
  });
}

async function opened(run: RunRecord, base: LanguageModel): Promise<Attached> {
  if (run.lora) {
    const files = await Promise.all(
      [ADAPTER_CONFIG, ADAPTER_WEIGHTS].map(async (path) => ({
        path,
        bytes: await fixtureBytes(`reward-models/${run.name}/${path}`),
      })),
    );
    return openAdapter(base, files);
  }
  const { names, shape, floats } = await fixtureTensors('reward-models/training.safetensors');
  const prefix = `${run.name}.head.`;
  const values = new Map(
    names
      .filter((name) => name.startsWith(prefix))
      .map((name) => [name.slice(prefix.length), { shape: shape(name), data: floats(name) }]),
  );
  expect(values.size).toBeGreaterThan(0);
  const { method } = resolveRecipe({ version: 1, method: { type: 'full' } });
  return attachMethod(base, method, { task: REWARD_TASK, seed: 0, head: { values } });
}

/** As stored in the checkpoint: on the device, GPT-2's linear layers are transposed. */
async function asStored(tensor: tf.Tensor, name: string, model: LanguageModel): Promise<Float32Array> {
  const own = model.tensors.find((t) => t.name === name);
  if (own?.value.kind !== 'matrix' || !own.value.transposed) return readFloats(tensor);
  const turned = tf.tidy(() => tf.transpose(tensor));
  const values = await readFloats(turned);
  turned.dispose();
  return values;
}

function expectMetrics(actual: Record<string, number>, wanted: Metrics, when: string): void {
  expect(Object.keys(actual).sort()).toEqual([...METRICS].sort());
  for (const name of METRICS) {
    const error = Math.abs(actual[name]! - wanted[name]) / Math.max(1, Math.abs(wanted[name]));
    expect(error, `${name} ${when}`).toBeLessThan(1e-3);
  }
}

/** Ten steps and an evaluation. */
export function rewardTraining(backend: string, names: readonly string[], setUp: () => Promise<void>): void {
  describe(`${backend}: reward models train as with TRL’s RewardTrainer`, () => {
    beforeAll(setUp);
    test.each(names)('%s', async (name) => {
      const run = (await fixtureJson<RunRecord[]>('reward-models/training.json')).find((one) => one.name === name)!;
      const base = await openBase(run.family);
      const attached = await opened(run, base);
      const { model, method } = attached;
      expect(model.heads.classification).toMatchObject({ kind: 'texts', problemType: 'regression' });
      const settings: TrainingSection = {
        ...resolveRecipe({ version: 1 }).training,
        ...run.training,
        ...{ warmup_ratio: 0, model_dropout: false },
      };
      const optimizer = createOptimizer(method.trainable, settings);
      const start = new Map<string, Float32Array>();
      for (const [own, tensor] of method.trainable) start.set(own, await asStored(tensor, own, model));
      const objective: Objective = rewardModel({ center_rewards_coefficient: run.centring });
      const batches = createBatchSource(examplesOf(run.pairs, run.pad), examplesOf(run.held, run.pad), {
        ...{ batchSize: run.batch_size, accumulation: run.accumulate },
        ...{ shuffle: false, seed: 0, padTokenId: run.pad },
      });
      const setup = { model, method, objective, optimizer, batches, settings, totalSteps: run.steps.length };
      const state = freshState();
      for (const [i, wanted] of run.steps.entries()) {
        const { stats, metrics, learningRate } = recordStep(setup, state);
        const { loss, gradNorm } = await stats;
        expect(learningRate, `rate of step ${i}`).toBeCloseTo(wanted.learning_rate, 9);
        expect(relativeError([loss], [wanted.loss]), `loss of step ${i}`).toBeLessThan(1e-3);
        expect(relativeError([gradNorm], [wanted.grad_norm]), `norm of step ${i}`).toBeLessThan(1e-3);
        expectMetrics(await metrics, wanted, `of step ${i}`);
      }
      const held = await evaluate({ model, method, objective }, batches.evaluation());
      expect(relativeError([held!.loss], [run.evaluation.loss]), 'loss of the evaluation').toBeLessThan(1e-3);
      expectMetrics(held!.metrics, run.evaluation, 'of the evaluation');

      const tensors = await fixtureTensors('reward-models/training.safetensors');
      const prefix = `${name}.move.`;
      const moves = tensors.names.filter((own) => own.startsWith(prefix));
      expect(moves.length).toBeGreaterThan(5);
      for (const given of moves) {
        const own = given.slice(prefix.length);
        const end = await asStored(method.trainable.get(own)!, own, model);
        const move = end.map((value, i) => value - start.get(own)![i]!);
        expect(relativeError(move, tensors.floats(given)), own).toBeLessThan(2e-3);
      }

      // One score at a time, in batches of another shape, is what the evaluation's means are made of.
      const sequences = examplesOf(run.held, run.pad).flatMap(({ ids, rejected }) => [ids, rejected]);
      const scores = await rewardScores(model, method.hooks(inference()), sequences);
      const alone = await rewardScores(model, method.hooks(inference()), [sequences[3]!]);
      expect(alone[0]).toBeCloseTo(scores[3]!, 5);
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      expect(mean).toBeCloseTo(run.evaluation.mean_reward, 3);

      optimizer.dispose();
      attached.dispose();
      base.dispose();
      disposeInputs();
    });
  });
}
