/** Compares the optimisers' kernels with their CPU references, on shapes that fill workgroups, overflow them, or neither. */
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { keptZeros } from '../../../src/engine/kernels/in-place';
import { gradientStats, partialCount } from '../../../src/engine/kernels/optimisers/grad-norm';
import { movingAverage } from '../../../src/engine/kernels/optimisers/moving-average';
import { scaleInPlace } from '../../../src/engine/kernels/optimisers/scale';
import { addPenalty } from '../../../src/engine/kernels/optimisers/weight-penalty';
import { createOptimizer, type OptimizerSettings, type StateTensors } from '../../../src/engine/optim/optimizer';
import { unpackBytes } from '../../../src/engine/optim/state';
import { readFloats } from '../../../src/engine/webgpu/backend';
import type { OptimizerName } from '../../../src/recipe/types';
import { relativeError } from '../../fixture-files';
import { type BackendName, expectClose, randomTensor, withBackend } from '../../kernel-helpers';

const SHAPES: Record<string, number[]> = {
  'a.weight': [130, 97],
  'b.weight': [3, 70, 33],
  'c.weight': [1, 200],
  'd.weight': [65, 1],
  'e.weight': [64, 64],
  'f.weight': [17, 16],
  'g.bias': [5000],
  'h.bias': [1],
  'i.norm.weight': [129],
  'j.scale': [],
};

const SETTINGS: OptimizerSettings = {
  adam_beta1: 0.9,
  adam_beta2: 0.99,
  adam_epsilon: 1e-8,
  weight_decay: 0.1,
  max_grad_norm: 5,
  sgd_momentum: 0.9,
  ema_decay: 0.9,
};

/** Four steps; `b.weight` is trained only in the last two. */
const run = (backend: BackendName, optim: OptimizerName): Promise<{ state: StateTensors; norms: number[] }> =>
  withBackend(backend, async () => {
    const names = Object.keys(SHAPES);
    const params = new Map(names.map((name, i) => [name, tf.keep(randomTensor(SHAPES[name]!, 7 + i))]));
    const optimizer = createOptimizer(params, { ...SETTINGS, optim }, { rate: (n) => (n < 'd' ? 1 : 2) });
    const norms: number[] = [];
    for (let step = 0; step < 4; step++) {
      const active = (name: string) => step > 1 || name !== 'b.weight';
      const grads = new Map(
        [...optimizer.tensorsOf(active)].map(([name, t]) => [
          name,
          // Gradients of different magnitudes, which is what Adafactor is about.
          randomTensor(t.shape, 100 * step + names.indexOf(name), 10 ** -(names.indexOf(name) % 4)),
        ]),
      );
      optimizer.accumulate(grads, true);
      const loss = tf.scalar(1);
      norms.push((await optimizer.update(loss, 1e-2, active)).gradNorm);
      tf.dispose([...grads.values(), loss]);
    }
    const state = await optimizer.save();
    optimizer.dispose();
    tf.dispose([...params.values()]);
    return { state, norms };
  });

describe('a few steps on both backends', () => {
  test.each<OptimizerName>(['adamw', 'adam', 'sgd', 'lion', 'adafactor', 'adamw_8bit'])('%s', async (optim) => {
    const expected = await run('cpu', optim);
    const actual = await run('webgpu', optim);
    expectClose(actual.norms, expected.norms, { rtol: 1e-5 }, 'norms');
    expect([...actual.state.keys()]).toEqual([...expected.state.keys()]);
    for (const [name, { data }] of expected.state) {
      const own = actual.state.get(name)!.data;
      if (/^adam_[mv]8\//.test(name)) {
        // One rounding apart, a value between two codes takes the other one.
        const [a, b] = [own, data].map((packed) => unpackBytes(packed, 3 * packed.length)) as [Uint8Array, Uint8Array];
        const off = a.map((code, i) => Math.abs(code - b[i]!));
        expect(Math.max(...off), name).toBeLessThan(2);
        expect(off.filter((d) => d > 0).length, name).toBeLessThan(2 + off.length / 1000);
      } else expect(relativeError(own, data), name).toBeLessThan(optim === 'adamw_8bit' ? 1e-3 : 1e-5);
    }
  });
});

test.each([1, 63, 64, 65, 1000, 20_001])('penalty, norm, average and scale of %i values match', async (n) => {
  const all = (backend: BackendName) =>
    withBackend(backend, async () => {
      const [grads, params, anchor, average] = [1, 2, 3, 4].map((seed) => randomTensor([n], seed)) as tf.Tensor[];
      const fisher = tf.tidy(() => tf.abs(randomTensor([n], 5)));
      const penalty = keptZeros([partialCount(n)]);
      const [partials, stats] = [keptZeros([partialCount(n)]), keptZeros([4])];
      const loss = tf.scalar(0.25);
      const t = { grads: grads!, params: params!, anchor: anchor!, penalty, partials, stats, loss, average: average! };
      addPenalty({ ...t, fisher }, { uniform: 0.5, weighted: 2 });
      addPenalty(t, { uniform: 0.125, weighted: 0 });
      gradientStats(t, 1);
      movingAverage(t, 0.9);
      scaleInPlace(fisher, 0.1);
      const read = await Promise.all([grads!, stats, average!, fisher].map(readFloats));
      tf.dispose([...Object.values(t), fisher]);
      return read;
    });
  const [expected, actual] = [await all('cpu'), await all('webgpu')];
  expected.forEach((e, i) => {
    expectClose(actual[i]!, e, { rtol: 1e-5 }, ['gradients', 'stats', 'average', 'scaled'][i]);
  });
});
