/**
 * Compares Fisher information, and the penalties of L2-SP and EWC on a small network, with torch's autograd
 * (tests/oracle/make_optim_fixtures.py).
 */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { clearValues } from '../../src/engine/kernels/in-place';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { createFisher } from '../../src/engine/optim/fisher';
import { createOptimizer, type Optimizer, type WeightPenalty } from '../../src/engine/optim/optimizer';
import { readFloats } from '../../src/engine/webgpu/backend';
import { fixtureJson, relativeError } from '../fixture-files';

type Named = Record<string, number[]>;
interface PenaltiesJson {
  shapes: Named;
  start: Named;
  old: { x: number[]; y: number[] };
  new: { x: number[]; y: number[] };
  fisher: Named;
  learning_rate: number;
  max_grad_norm: number;
  runs: { l2_sp_alpha: number; ewc_lambda: number; losses: number[]; grad_norms: number[]; final: Named }[];
}

const json = await fixtureJson<PenaltiesJson>('optim/pulls.json');
const names = Object.keys(json.shapes);
const SETTINGS = {
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  weight_decay: 0,
  max_grad_norm: json.max_grad_norm,
};

type Params = Map<string, tf.Tensor>;

/** Cross-entropy of the network's answers, summed. */
function loss(params: Params, x: number[], y: number[]): tf.Scalar {
  const get = (name: string) => params.get(name)! as tf.Tensor2D;
  const hidden = tf.tanh(
    tf.add(tf.matMul(tf.tensor(x, [y.length, 4]) as tf.Tensor2D, get('0.weight'), false, true), get('0.bias')),
  );
  const scores = tf.add(tf.matMul(hidden as tf.Tensor2D, get('2.weight'), false, true), get('2.bias'));
  const wanted = tf.oneHot(tf.tensor1d(y, 'int32'), 3);
  return tf.neg(tf.sum(tf.mul(tf.logSoftmax(scores), wanted))) as tf.Scalar;
}

export function weightPenaltyParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: penalties towards the base`, () => {
    beforeAll(setUp);

    /** Only biases decay, so the flat buffers are not in the order of the tensors. */
    const using = async (body: (optimizer: Optimizer, params: Params) => Promise<void>) => {
      const before = tf.memory().numTensors;
      const params: Params = new Map(names.map((n) => [n, tf.keep(tf.tensor(json.start[n]!, json.shapes[n]!))]));
      const optimizer = createOptimizer(params, SETTINGS, { decays: (name) => name.endsWith('bias') });
      await body(optimizer, params);
      optimizer.dispose();
      tf.dispose([...params.values()]);
      expect(tf.memory().numTensors - before, 'tensors left').toBe(0);
    };

    const fisherOf = (optimizer: Optimizer, params: Params): tf.Tensor => {
      const sum = createFisher(optimizer.layout);
      const { x, y } = json.old;
      for (const [i, label] of y.entries()) {
        const { value, grads } = valueAndGradients(
          () => loss(params, x.slice(4 * i, 4 * i + 4), [label]),
          optimizer.tensors,
        );
        sum.add(grads);
        tf.dispose([value, ...grads]);
      }
      return sum.finish(y.length);
    };

    const step = async (optimizer: Optimizer, params: Params) => {
      const { x, y } = json.new;
      const { value, grads } = valueAndGradients(
        () => tf.div(loss(params, x, y), y.length) as tf.Scalar,
        optimizer.tensors,
      );
      optimizer.accumulate(grads, true);
      const stats = optimizer.update(value, json.learning_rate);
      tf.dispose([value, ...grads]);
      return stats;
    };

    test('the Fisher information is the mean over texts of squared gradients', () =>
      using(async (optimizer, params) => {
        const fisher = fisherOf(optimizer, params);
        const values = await readFloats(fisher);
        fisher.dispose();
        for (const name of names) {
          const { offset, size } = optimizer.layout.byName.get(name)!;
          expect(relativeError(values.slice(offset, offset + size), json.fisher[name]!), name).toBeLessThan(1e-4);
        }
      }));

    test.each(json.runs)('twenty steps match with L2-SP $l2_sp_alpha and EWC $ewc_lambda', (run) =>
      using(async (optimizer, params) => {
        const penalty: WeightPenalty = { alpha: run.l2_sp_alpha, lambda: run.ewc_lambda };
        if (run.ewc_lambda > 0) penalty.fisher = fisherOf(optimizer, params);
        optimizer.setPenalty(penalty);
        for (const [i, expected] of run.losses.entries()) {
          const { loss, gradNorm } = await step(optimizer, params);
          expect(Math.abs(loss / expected - 1), `loss of step ${i + 1}`).toBeLessThan(1e-4);
          expect(Math.abs(gradNorm / run.grad_norms[i]! - 1), `norm of step ${i + 1}`).toBeLessThan(1e-3);
        }
        for (const name of names) {
          const moved = (to: ArrayLike<number>) => Array.from(to, (v, i) => v - json.start[name]![i]!);
          const own = moved(await readFloats(params.get(name)!));
          expect(relativeError(own, moved(run.final[name]!)), name).toBeLessThan(1e-3);
        }
      }),
    );

    test('the penalty neither moves a frozen tensor nor counts it in the norm', () =>
      using(async (optimizer, params) => {
        // With an anchor elsewhere, the penalty acts from the first step on.
        const threes = new Float32Array(optimizer.layout.size);
        for (const { offset, size } of optimizer.layout.places) threes.fill(3, offset, offset + size);
        const anchor = tf.keep(tf.tensor1d(threes));
        optimizer.setPenalty({ alpha: 1, anchor });
        const frozen = '0.weight';
        const active = (name: string) => name !== frozen;
        const zero = tf.scalar(0);
        const none = tf.zeros(json.shapes['2.bias']!);
        optimizer.accumulate(new Map([['2.bias', none]]), true);
        const { gradNorm, loss: penalty } = await optimizer.update(zero, 0.1, active);
        tf.dispose([zero, none]);
        const away = (name: string) => json.start[name]!.map((v) => (v - 3) ** 2).reduce((a, b) => a + b);
        const norm = Math.sqrt(names.filter(active).reduce((sum, n) => sum + away(n), 0));
        expect(Math.abs(gradNorm / norm - 1)).toBeLessThan(1e-5);
        // The penalty covers all tensors, because a frozen one may have moved before.
        expect(Math.abs(penalty / (0.5 * names.reduce((sum, n) => sum + away(n), 0)) - 1)).toBeLessThan(1e-5);
        expect([...(await readFloats(params.get(frozen)!))]).toEqual(json.start[frozen]!.map(Math.fround));
        expect([...(await readFloats(params.get('2.bias')!))]).not.toEqual(json.start['2.bias']!.map(Math.fround));
      }));

    test('EWC without Fisher information and gradients of unknown tensors are rejected', () =>
      using(async (optimizer) => {
        expect(() => optimizer.setPenalty({ lambda: 1 })).toThrow('EWC needs the Fisher information');
        const x = tf.zeros([3]);
        expect(() => optimizer.accumulate(new Map([['4.bias', x]]), true)).toThrow('4.bias, which is not trained');
        expect(() => optimizer.accumulate([x], true)).toThrow('gradients for 4 tensors, got 1');
        x.dispose();
      }));

    test('clearing values leaves their neighbours untouched', async () => {
      const x = tf.keep(tf.ones([9]));
      clearValues(x, 2, 4);
      expect([...(await readFloats(x))]).toEqual([1, 1, 0, 0, 0, 0, 1, 1, 1]);
      x.dispose();
    });
  });
}
