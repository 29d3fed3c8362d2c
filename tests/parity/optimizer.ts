/**
 * Compares the optimiser with torch (tests/oracle/make_optim_fixtures.py); one body for both backends. Tolerances are those
 * of tests/oracle/README.md.
 */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createOptimizer, type Optimizer, type OptimizerSettings } from '../../src/engine/optim/optimizer';
import { readFloats } from '../../src/engine/webgpu/backend';
import { fixtureJson, relativeError } from '../fixture-files';
import { randomValues } from '../kernel-helpers';

type Named = Record<string, number[]>;
interface AdamWJson extends Omit<OptimizerSettings, 'max_grad_norm'> {
  shapes: Record<string, number[]>;
  initial: Named;
  steps: { learning_rate: number; grads: Named; params: Named }[];
  final_state: Record<string, { exp_avg: number[]; exp_avg_sq: number[] }>;
}
interface ClippingJson {
  cases: { max_grad_norm: number; grads: number[][]; total_norm: number; clipped: number[][] }[];
}

const SETTINGS: OptimizerSettings = {
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  weight_decay: 0.1,
  max_grad_norm: 0,
};

/** With these settings the first moment is the clipped gradient of the last step itself. */
const BARE: OptimizerSettings = { ...SETTINGS, adam_beta1: 0, weight_decay: 0 };

/** Odd sizes, more tensors than one dispatch takes, and one that a workgroup cannot cover. */
const SHAPES = [[1], [3], [5, 7], [2, 3], [64], [65], [11, 13], [4], [9], [1, 1], [33, 3], [16], [2], [7], [129]];

const flat = (arrays: ArrayLike<number>[]) => arrays.flatMap((a) => Array.from(a));

class Run {
  readonly optimizer: Optimizer;
  readonly params: Map<string, tf.Tensor>;

  constructor(initial: Map<string, { shape: number[]; data: ArrayLike<number> }>, settings: OptimizerSettings) {
    this.params = new Map(
      [...initial].map(([name, { shape, data }]) => [name, tf.keep(tf.tensor(Float32Array.from(data), shape))]),
    );
    this.optimizer = createOptimizer(this.params, settings);
  }

  accumulate(grads: ArrayLike<number>[], first = true): void {
    const tensors = [...this.params.values()].map((p, i) => tf.tensor(Float32Array.from(grads[i]!), p.shape));
    this.optimizer.accumulate(tensors, first);
    tf.dispose(tensors);
  }

  async update(learningRate: number, loss = 1) {
    const scalar = tf.scalar(loss);
    const stats = this.optimizer.update(scalar, learningRate);
    scalar.dispose();
    return stats;
  }

  values = () => Promise.all([...this.params.values()].map(readFloats));

  /** One part of the saved state, in the order of the tensors. */
  async part(prefix: 'adapter' | 'adam_m' | 'adam_v'): Promise<Float32Array[]> {
    const saved = await this.optimizer.save();
    return [...this.params.keys()].map((name) => saved.get(`${prefix}/${name}`)!.data);
  }

  dispose(): void {
    this.optimizer.dispose();
    tf.dispose([...this.params.values()]);
  }
}

const zeros = (shapes: number[][]) =>
  new Map(shapes.map((shape, i) => [`t${i}`, { shape, data: new Float32Array(tf.util.sizeFromShape(shape)) }]));
const random = (seed: number) => SHAPES.map((shape, i) => randomValues(shape, 100 * seed + i).data as Float32Array);
const randomParams = () => new Map(SHAPES.map((shape, i) => [`t${i}`, randomValues(shape, 900 + i)]));

/** `setUp` prepares the backend for all of these tests. */
export function optimizerParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: optimizer`, () => {
    beforeAll(setUp);

    /** Runs `body` on a new optimiser and checks that no tensors are left behind. */
    const using = async (
      initial: ConstructorParameters<typeof Run>[0],
      settings: OptimizerSettings,
      body: (run: Run) => Promise<void>,
    ) => {
      const before = tf.memory().numTensors;
      const run = new Run(initial, settings);
      await body(run);
      run.dispose();
      expect(tf.memory().numTensors - before, 'tensors left').toBe(0);
    };

    test('twenty AdamW steps match torch', async () => {
      const json = await fixtureJson<AdamWJson>('optim/adamw.json');
      const initial = new Map(
        Object.entries(json.initial).map(([name, data]) => [name, { shape: json.shapes[name]!, data }]),
      );
      await using(initial, { ...json, max_grad_norm: 0 }, async (run) => {
        expect(json.steps.length).toBe(20);
        for (const [i, step] of json.steps.entries()) {
          run.accumulate([...run.params.keys()].map((name) => step.grads[name]!));
          const { finite, loss } = await run.update(step.learning_rate, i + 0.5);
          expect([finite, loss]).toEqual([true, i + 0.5]);
          for (const [name, tensor] of run.params) {
            expect(relativeError(await readFloats(tensor), step.params[name]!), `${name}, step ${i + 1}`).toBeLessThan(
              1e-5,
            );
          }
        }
        const saved = await run.optimizer.save();
        for (const [name, { exp_avg, exp_avg_sq }] of Object.entries(json.final_state)) {
          expect(relativeError(saved.get(`adam_m/${name}`)!.data, exp_avg)).toBeLessThan(1e-5);
          expect(relativeError(saved.get(`adam_v/${name}`)!.data, exp_avg_sq)).toBeLessThan(1e-5);
          expect(saved.get(`adapter/${name}`)!.shape).toEqual(json.shapes[name]);
        }
      });
    });

    test('clipping matches torch.nn.utils.clip_grad_norm_', async () => {
      const { cases } = await fixtureJson<ClippingJson>('optim/clipping.json');
      expect(cases.length).toBe(7);
      for (const { max_grad_norm, grads, total_norm, clipped } of cases) {
        const shapes = grads.map((g) => [g.length]);
        await using(zeros(shapes), { ...BARE, max_grad_norm }, async (run) => {
          run.accumulate(grads);
          const { gradNorm } = await run.update(0);
          if (total_norm === 0) expect(gradNorm).toBe(0);
          else expect(relativeError([gradNorm], [total_norm])).toBeLessThan(1e-5);
          const used = flat(await run.part('adam_m'));
          if (total_norm === 0) expect(used.every((v) => v === 0)).toBe(true);
          else expect(relativeError(used, flat(clipped)), `norm ${total_norm}`).toBeLessThan(1e-5);
        });
      }
    });

    test('max_grad_norm 0 does not clip', () =>
      using(zeros(SHAPES), BARE, async (run) => {
        const grads = random(1).map((g) => g.map((v) => v * 100));
        run.accumulate(grads);
        await run.update(0);
        expect(await run.part('adam_m')).toEqual(grads);
      }));

    test('gradients of micro-batches add up, and a new step discards those of the last', () =>
      using(zeros(SHAPES), BARE, async (run) => {
        const [a, b, c] = [random(1), random(2), random(3)];
        run.accumulate(a);
        run.accumulate(b, false);
        await run.update(0);
        // The sum of two f32 values is the same everywhere.
        expect(await run.part('adam_m')).toEqual(a.map((g, t) => g.map((v, i) => v + b[t]![i]!)));
        run.accumulate(c);
        await run.update(0);
        expect(await run.part('adam_m')).toEqual(c);
      }));

    test('fifteen tensors of odd sizes move as the formula says, and the model reads the master copy', () =>
      using(randomParams(), { ...SETTINGS, max_grad_norm: 1 }, async (run) => {
        const before = flat(await run.values());
        const grads = random(4);
        run.accumulate(grads);
        const { gradNorm } = await run.update(1e-2);
        const norm = Math.hypot(...flat(grads));
        expect(relativeError([gradNorm], [norm])).toBeLessThan(1e-5);
        const expected = flat(grads).map((g0, i) => {
          const g = g0 / (norm + 1e-6);
          // In the first step the corrected moments are g and g².
          return before[i]! * (1 - 1e-2 * 0.1) - (1e-2 * g) / (Math.abs(g) + 1e-8);
        });
        const now = flat(await run.values());
        const moved = (to: number[]) => to.map((v, i) => v - before[i]!);
        expect(relativeError(moved(now), moved(expected))).toBeLessThan(1e-4);
        expect(flat(await run.part('adapter'))).toEqual(now);
      }));

    test('the norm of a third of a million values', () =>
      using(zeros([[333_333], [3]]), BARE, async (run) => {
        const grads = [randomValues([333_333], 5).data, Float32Array.of(30, 40, 120)];
        run.accumulate(grads);
        const { gradNorm } = await run.update(0);
        const used = await run.part('adam_m');
        const exact = Math.sqrt(flat(grads).reduce((sum, g) => sum + g * g, 0));
        expect(relativeError([gradNorm], [exact])).toBeLessThan(1e-5);
        expect(used.map((g, i) => relativeError(g, grads[i]!))).toEqual([0, 0]);
      }));

    test.each([
      ['a NaN gradient', Number.NaN, 1],
      ['an infinite gradient', Number.POSITIVE_INFINITY, 1],
      ['a gradient of −∞', Number.NEGATIVE_INFINITY, 1],
      ['a NaN loss', 0.5, Number.NaN],
      ['an infinite loss', 0.5, Number.POSITIVE_INFINITY],
    ])('%s changes nothing, is reported, and is forgotten', (_, gradient, loss) =>
      using(randomParams(), { ...SETTINGS, max_grad_norm: 1 }, async (run) => {
        run.accumulate(random(6));
        await run.update(1e-2);
        const before = await run.optimizer.save();
        const values = await run.values();
        const grads = random(7);
        grads[6]![140] = gradient;
        run.accumulate(grads);
        const stats = await run.update(1e-2, loss);
        expect(stats.finite).toBe(false);
        expect(await run.optimizer.save()).toEqual(before);
        expect(await run.values()).toEqual(values);

        run.accumulate(random(8));
        const next = await run.update(1e-2);
        expect(next.finite).toBe(true);
        expect(Number.isFinite(next.gradNorm)).toBe(true);
        const after = flat(await run.values());
        expect(after.every(Number.isFinite)).toBe(true);
        expect(after.every((v, i) => v !== flat(values)[i])).toBe(true);
      }),
    );

    test('a saved state continues in another optimiser, bit for bit', () =>
      using(randomParams(), { ...SETTINGS, max_grad_norm: 1 }, async (run) => {
        run.accumulate(random(1));
        await run.update(1e-2);
        const saved = await run.optimizer.save();
        run.accumulate(random(2));
        await run.update(1e-2);
        await using(zeros(SHAPES), { ...SETTINGS, max_grad_norm: 1 }, async (other) => {
          other.optimizer.load(saved, 1);
          expect(await other.optimizer.save()).toEqual(saved);
          other.accumulate(random(2));
          await other.update(1e-2);
          expect(await other.optimizer.save()).toEqual(await run.optimizer.save());
          expect(await other.values()).toEqual(await run.values());
        });
      }));

    test('a state that lacks a tensor, or has one of the wrong size, is rejected by name', () =>
      using(randomParams(), SETTINGS, async (run) => {
        const saved = await run.optimizer.save();
        const lacking = new Map(saved);
        lacking.delete('adam_v/t3');
        expect(() => run.optimizer.load(lacking, 1)).toThrow('no tensor adam_v/t3 with 6 values');
        const short = new Map(saved).set('adapter/t4', { shape: [63], data: new Float32Array(63) });
        expect(() => run.optimizer.load(short, 1)).toThrow('no tensor adapter/t4 with 64 values');
      }));
  });
}
