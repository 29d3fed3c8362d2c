/**
 * What a pass offers an objective: a reference beside the policy, several forward passes, metrics, and work between
 * steps. One body for both backends.
 */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Batch, NextTokenBatch } from '../../src/data/types';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { createFull } from '../../src/engine/methods/full';
import { inference } from '../../src/engine/methods/method';
import { batchAs, lossOnly, type Objective, type View } from '../../src/engine/objectives/objective';
import { sft, targetRows } from '../../src/engine/objectives/sft';
import { targetLogProbs } from '../../src/engine/objectives/tokens';
import { wholeText } from '../../src/engine/run/evaluate';
import { createPass } from '../../src/engine/run/pass';
import { readFloats } from '../../src/engine/webgpu/backend';
import { expectClose } from '../kernel-helpers';
import { numTensors, type TinyOptions, tinyModel, withRun } from './tiny-run';

/** Summed log-probability of each row's labels, [batchSize]. */
function rowLogProbs(view: View, batch: NextTokenBatch): tf.Tensor1D {
  return view.run(() => {
    const { batchSize, length } = batch;
    const targets = targetRows(batch);
    const logProbs = targetLogProbs(view, view.hidden(batch), targets);
    const isIn = (row: number) =>
      Array.from(targets.rows, (at) => (at >= 0 && Math.floor(at / length) === row ? 1 : 0));
    const rows = tf.tensor2d(Array.from({ length: batchSize }, (_, row) => isIn(row)));
    return tf.sum(tf.mul(rows, logProbs), 1);
  });
}

const BETA = 0.5;
/** A last row by itself is left out. */
const pairsOf = ({ batchSize }: Batch) => Math.floor(batchSize / 2);

/** DPO (Rafailov et al., 2023), the rows of a batch being chosen and rejected in turn. */
const preference: Objective = {
  batches: 'next_token',
  usesReference: true,
  targets: pairsOf,
  loss(pass, batch) {
    const own = batchAs(batch, 'next_token');
    if (pairsOf(own) === 0) return lossOnly(tf.scalar(0), 0);
    const policy = rowLogProbs(pass.policy, own);
    const rewards = tf.mul(tf.sub(policy, rowLogProbs(pass.reference(), own)), BETA);
    const pairs = tf.reshape(tf.slice(rewards, 0, 2 * pairsOf(batch)), [-1, 2]);
    const [chosen, rejected] = tf.unstack(pairs, 1) as [tf.Tensor, tf.Tensor];
    const margins = tf.sub(chosen, rejected);
    const scaled = (x: tf.Tensor) => tf.mul(tf.sum(x), pass.scale) as tf.Scalar;
    return {
      loss: scaled(tf.softplus(tf.neg(margins))),
      targets: pairsOf(batch),
      metrics: { margin: scaled(margins), accuracy: scaled(tf.cast(tf.greater(margins, 0), 'float32')) },
      scores: null,
    };
  },
};

const options = (more: TinyOptions = {}): TinyOptions => ({
  objective: preference,
  // One pair is trained on, again and again.
  validation: 19,
  totalSteps: 4,
  shuffle: false,
  ...more,
  settings: { learning_rate: 2e-2, lr_scheduler_type: 'constant', warmup_ratio: 0, eval_steps: 2, ...more.settings },
});

/** `setUp` makes the backend ready that the whole body runs on. */
export function passParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: a pass`, () => {
    beforeAll(setUp);

    describe('an objective with a reference', () => {
      test('starts where the base is, and moves away from it', () =>
        withRun(options(), async (run) => {
          const before = numTensors();
          await run.start();
          const { steps, evaluations } = run.told;
          expect(steps).toHaveLength(4);
          // A new adapter is the base: no margin, and the loss of a coin.
          expectClose([steps[0]!.loss, steps[0]!.metrics.margin!], [Math.LN2, 0], { atol: 1e-5 });
          expect(steps[0]!.metrics).toEqual({ margin: steps[0]!.metrics.margin, accuracy: expect.any(Number) });
          expect(steps.at(-1)!.metrics.margin).toBeGreaterThan(0.05);
          expect(steps.at(-1)!.metrics.accuracy).toBe(1);
          expect(steps.at(-1)!.loss).toBeLessThan(steps[0]!.loss - 0.02);
          expect(evaluations.map(({ step }) => step)).toEqual([0, 2, 4]);
          expectClose([evaluations[0]!.loss, evaluations[0]!.metrics.margin!], [Math.LN2, 0], { atol: 1e-5 });
          expect(evaluations[2]!.metrics.margin).not.toBe(0);
          disposeInputs();
          expect(numTensors()).toBeLessThanOrEqual(before);
        }));

      test('is compared with the adapter as loaded when the run continues one', () =>
        withRun(options({ continues: true }), async (run) => {
          await run.start();
          const { steps } = run.told;
          expectClose([steps[0]!.loss, steps[0]!.metrics.margin!], [Math.LN2, 0], { atol: 1e-5 });
          expect(steps.at(-1)!.metrics.margin).toBeGreaterThan(0.05);
        }));

      test('keeps its bits with gradient checkpointing', async () => {
        const losses = (checkpointing: boolean) =>
          withRun(options({ checkpointing, dropout: 0.2 }), async (run) => {
            await run.start();
            return run.told.steps.map(({ loss, gradNorm, metrics }) => ({ loss, gradNorm, metrics }));
          });
        expect(await losses(true)).toEqual(await losses(false));
      });

      test('is refused a reference that it did not ask for', () =>
        withRun(options({ objective: { ...preference, usesReference: undefined } }), (run) =>
          expect(run.start()).rejects.toThrow('usesReference'),
        ));

      test('an objective that reports nothing else has no metrics', () =>
        withRun(options({ objective: sft }), async (run) => {
          await run.start();
          expect(run.told.steps.every(({ metrics }) => Object.keys(metrics).length === 0)).toBe(true);
        }));
    });

    test('forward passes of one shape keep their inputs for the backward pass', async () => {
      const model = await tinyModel('gqa-tied');
      const method = createFull(model);
      const [a, b] = [wholeText(Int32Array.of(5, 9, 33, 7)), wholeText(Int32Array.of(8, 3, 11, 21))];
      const setup = { model, method, objective: sft };
      const gradients = async (...batches: Batch[]) => {
        const pass = createPass(setup, { hooks: method.hooks(inference()), scale: 1, withGradient: true });
        const { value, grads } = valueAndGradients(
          () => tf.addN(batches.map((batch) => sft.loss(pass, batch).loss)),
          [...method.trainable.values()],
        );
        const values = await Promise.all(grads.map((grad) => readFloats(grad)));
        tf.dispose([value, ...grads]);
        return values;
      };
      const [together, first, second] = [await gradients(a, b), await gradients(a), await gradients(b)];
      together.forEach((gradient, i) => {
        const sum = gradient.map((_, k) => first[i]![k]! + second[i]![k]!);
        expectClose([...gradient], [...sum], { rtol: 1e-4, atol: 1e-5 });
      });
      method.dispose();
      model.dispose();
      disposeInputs();
    });

    describe('an objective that prepares its steps', () => {
      const PROMPT = 3;
      const ANSWER = 5;
      const WANTED = 7;

      /**
       * Learns to answer with one token: answers are sampled from the policy, a judge elsewhere says how much of each is
       * that token, and the log-probability of an answer counts by its reward.
       */
      function judged(judge: (answer: Int32Array) => Promise<number>) {
        const rewards = new WeakMap<Batch, number>();
        const objective: Objective = {
          batches: 'next_token',
          targets: () => 1,
          async prepare({ generate, read, policy, draw, stopped }, batches) {
            const rollouts: Batch[] = [];
            for (const [i, { ids }] of batches.entries()) {
              if (stopped()) break;
              const prompt = ids.slice(0, PROMPT);
              const sampling = { temperature: 1, topP: 1, seed: draw.seed + 100 * draw.pass + i };
              const answer = await generate(prompt, { ...sampling, maxNewTokens: ANSWER, stopTokenIds: [] });
              const whole = wholeText(Int32Array.from([...prompt, ...answer]));
              const labels = whole.labels.map((id, t) => (t < PROMPT ? -100 : id));
              const rollout = { ...whole, labels, targetCount: answer.length };
              const [logProb] = await read(() => rowLogProbs(policy, rollout));
              expect(logProb).toBeLessThan(0);
              rewards.set(rollout, await judge(answer));
              rollouts.push(rollout);
            }
            return rollouts;
          },
          loss(pass, batch) {
            const reward = rewards.get(batch)!;
            const logProb = tf.sum(rowLogProbs(pass.policy, batchAs(batch, 'next_token')));
            const loss = tf.mul(logProb, -reward * pass.scale) as tf.Scalar;
            return { loss, targets: 1, metrics: { reward: tf.scalar(reward * pass.scale) }, scores: null };
          },
        };
        return objective;
      }

      const share = (answer: Int32Array) => answer.filter((id) => id % WANTED === 0).length / answer.length;
      /** Two micro-batches of one prompt a step. */
      const judgedRun = (judge: (answer: Int32Array) => Promise<number>): TinyOptions => ({
        objective: judged(judge),
        totalSteps: 10,
        shuffle: false,
        validation: 0,
        settings: {
          ...{ learning_rate: 3e-2, lr_scheduler_type: 'constant' as const, warmup_ratio: 0 },
          per_device_train_batch_size: 1,
        },
      });

      test('generates with the policy, waits for the answer, and learns from it', async () => {
        const asked: number[] = [];
        const later = async (answer: Int32Array) => {
          expect(answer).toHaveLength(ANSWER);
          await new Promise((resolve) => setTimeout(resolve, 1));
          asked.push(share(answer));
          return share(answer) - 0.15;
        };
        await withRun(judgedRun(later), async (run) => {
          const before = numTensors();
          expect(await run.start()).toBe('completed');
          const { steps } = run.told;
          // The reported reward is the mean of the step's two answers.
          expect(asked).toHaveLength(20);
          const mean = (from: number, to: number) => asked.slice(from, to).reduce((sum, x) => sum + x, 0) / (to - from);
          steps.forEach(({ metrics }, i) => {
            expect(metrics.reward).toBeCloseTo(mean(2 * i, 2 * i + 2) - 0.15, 5);
          });
          expect(mean(14, 20)).toBeGreaterThan(mean(0, 6) + 0.2);
          disposeInputs();
          expect(numTensors()).toBeLessThanOrEqual(before);
        });
      });

      test('a stop while it waits ends the run without the step', async () => {
        let stopped = false;
        let asked = 0;
        const judge = async (answer: Int32Array) => {
          stopped = ++asked === 3;
          return share(answer);
        };
        await withRun(judgedRun(judge), async (run) => {
          expect(await run.start({ stopRequested: () => stopped })).toBe('stopped');
          expect(asked).toBe(3);
          expect(run.state.step).toBe(1);
          expect(run.told.steps.map(({ step }) => step)).toEqual([1]);
        });
      });
    });
  });
}
