import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { tokenLogProbs } from '../../../src/engine/kernels/losses/token-log-probs';
import { denseWeight } from '../../../src/engine/kernels/products/weight';
import { checkGradient, gradientsOn, intValues, randomValues, runOn, withBackend } from '../../kernel-helpers';
import { type LogProbCase, logProbCase, logProbParity } from '../../parity/log-probs';
import { crossEntropyCase } from '../../parity/products';

logProbParity('cpu');

/** Logits 0 and ln 3 for hidden state 1: probabilities 1/4 and 3/4. */
const byHand = (rows: number[], targets: number[]) => [
  { data: Float32Array.of(1, 0, 1), shape: [3, 1] },
  { data: Float32Array.of(0, Math.log(3)), shape: [2, 1] },
  intValues(rows, [rows.length]),
  intValues(targets, [targets.length]),
];

const close = (...values: number[]) => values.map((value) => expect.closeTo(value, 6));

test('log-probabilities and entropies by hand, 0 at padding', async () => {
  const { op } = logProbCase({ tokens: 3, width: 1, vocab: 2, withEntropy: true });
  const [logProbs, entropy] = await runOn('cpu', op, byHand([2, 1, -1, 0], [1, 0, -1, 0]));
  expect([...logProbs!]).toEqual(close(Math.log(3 / 4), Math.log(1 / 2), 0, Math.log(1 / 4)));
  const h = -(Math.log(1 / 4) / 4 + (3 * Math.log(3 / 4)) / 4);
  expect([...entropy!]).toEqual(close(h, Math.log(2), 0, h));
});

test('the temperature divides the logits', async () => {
  const { op } = logProbCase({ tokens: 3, width: 1, vocab: 2, temperature: 0.5, withEntropy: true });
  const [logProbs, entropy] = await runOn('cpu', op, byHand([2, 1], [1, 0]));
  // 2 · ln 3: probabilities 1/10 and 9/10
  expect([...logProbs!]).toEqual(close(Math.log(9 / 10), Math.log(1 / 2)));
  expect([...entropy!]).toEqual(close(-(Math.log(1 / 10) / 10 + (9 * Math.log(9 / 10)) / 10), Math.log(2)));
});

test('the soft cap comes before the temperature', async () => {
  const { op } = logProbCase({ tokens: 3, width: 1, vocab: 2, softcap: 2, temperature: 0.5 });
  const [logProbs] = await runOn('cpu', op, byHand([2], [1]));
  const z = (2 * Math.tanh(Math.log(3) / 2)) / 0.5;
  expect([...logProbs!]).toEqual(close(z - Math.log(1 + Math.exp(z))));
});

test('gradients by hand: each row weighs with its own, zero for rows without a target', async () => {
  const { op } = logProbCase({ tokens: 3, width: 1, vocab: 2, bias: true, trains: true });
  const inputs = [...byHand([2, -1, 1], [1, -1, 0]), { data: new Float32Array(2), shape: [2] }];
  const dy = [{ data: Float32Array.of(2, 7, -3), shape: [3] }];
  const [dHidden, dWeight, dBias] = await gradientsOn('cpu', op, inputs, [0, 1, 4], dy);
  // dy · Σ_v ([v = target] − p_v)·w_v
  expect([...dHidden!]).toEqual(close(0, -3 * (-1 / 2) * Math.log(3), 2 * (1 / 4) * Math.log(3)));
  // Row 2 (hidden state 1): ±1/4; row 1 (hidden state 0): ±1/2, which the weight does not feel.
  expect([...dWeight!]).toEqual(close(2 * (-1 / 4), 2 * (1 / 4)));
  expect([...dBias!]).toEqual(close(2 * (-1 / 4) - 3 / 2, 2 * (1 / 4) + 3 / 2));
});

test.each<LogProbCase>([
  { tokens: 5, width: 4, vocab: 7 },
  { tokens: 9, width: 3, vocab: 11, skipEvery: 3, padding: 4 },
  { tokens: 4, width: 6, vocab: 5, format: 'bf16' },
  { tokens: 5, width: 4, vocab: 7, temperature: 0.8 },
  { tokens: 6, width: 5, vocab: 9, bias: true, softcap: 1.5, skipEvery: 4, padding: 1 },
  { tokens: 5, width: 3, vocab: 7, trains: true },
  { tokens: 6, width: 3, vocab: 9, bias: true, trains: true, temperature: 1.6, padding: 2 },
  { tokens: 6, width: 4, vocab: 5, bias: true, trains: true, softcap: 1.5, temperature: 0.7, skipEvery: 3 },
])('log-probabilities: gradients against finite differences, %o', async (c) => {
  const { op, inputs, wanted } = logProbCase(c);
  await checkGradient(op, inputs, wanted);
});

test('log-probabilities are the terms of cross-entropy', async () => {
  const c = { tokens: 12, width: 5, vocab: 40, skipEvery: 3, padding: 2, bias: true, softcap: 3 };
  const { op, inputs } = logProbCase(c);
  const [logProbs] = await runOn('cpu', op, inputs);
  const whole = crossEntropyCase({ ...c, scale: 1 });
  const [loss] = await runOn('cpu', whole.op, whole.inputs);
  expect(-logProbs!.reduce((a, b) => a + b, 0)).toBeCloseTo(loss![0]!, 4);
});

test('the entropy is the same as summed over the vocabulary, and does not change the log-probabilities', async () => {
  const c = { tokens: 6, width: 4, vocab: 30, temperature: 0.6, padding: 2 };
  const { op, inputs } = logProbCase({ ...c, withEntropy: true });
  const [logProbs, entropy] = await runOn('cpu', op, inputs);
  expect(logProbs).toEqual((await runOn('cpu', logProbCase(c).op, inputs))[0]);
  const each: Float32Array[] = [];
  for (let v = 0; v < c.vocab; v++) {
    const targets = { ...inputs[3]!, data: inputs[3]!.data.map((t) => (t < 0 ? -1 : v)) };
    each.push((await runOn('cpu', logProbCase(c).op, [...inputs.slice(0, 3), targets]))[0]!);
  }
  entropy!.forEach((h, r) => {
    const sum = inputs[2]!.data[r]! < 0 ? 0 : each.reduce((s, column) => s - Math.exp(column[r]!) * column[r]!, 0);
    expect(h).toBeCloseTo(sum, 5);
  });
});

test('no gradient flows through the entropy', async () => {
  const { op, inputs, wanted } = logProbCase({ tokens: 4, width: 3, vocab: 6, trains: true, withEntropy: true });
  const [dy, other] = [randomValues([4], 8), randomValues([4], 9)];
  for (const gradient of await gradientsOn('cpu', op, inputs, wanted, [null, other])) {
    expect(gradient.every((v) => v === 0)).toBe(true);
  }
  expect(await gradientsOn('cpu', op, inputs, wanted, [dy, other])).toEqual(
    await gradientsOn('cpu', op, inputs, wanted, [dy, null]),
  );
});

test('a weight or bias that is not said to be trained, or cannot be, has no gradient', async () => {
  const dy = [randomValues([3], 8)];
  const silent = logProbCase({ tokens: 3, width: 2, vocab: 4, bias: true });
  await expect(gradientsOn('cpu', silent.op, silent.inputs, [1], dy)).rejects.toThrow('run with trainsWeight');
  await expect(gradientsOn('cpu', silent.op, silent.inputs, [4], dy)).rejects.toThrow('run with trainsBias');
  const frozen = logProbCase({ tokens: 3, width: 2, vocab: 4, format: 'bf16', trains: true });
  await expect(gradientsOn('cpu', frozen.op, frozen.inputs, [0], dy)).rejects.toThrow('stored as bf16 is frozen');
});

test('inputs that do not fit are named', () =>
  withBackend('cpu', () => {
    tf.tidy(() => {
      const weight = denseWeight(tf.zeros([4, 3]));
      const hidden = tf.zeros([2, 3]);
      const rows = tf.zeros([2], 'int32');
      const run = (...[x, w, r, t, options]: Parameters<typeof tokenLogProbs>) => {
        return () => tokenLogProbs(x, w, r, t, options);
      };
      expect(run(hidden, weight, rows, tf.zeros([3], 'int32'))).toThrow('rows [2], targets [3]');
      expect(run(tf.zeros([2, 5]), weight, rows, rows)).toThrow('TokenLogProbs: expected hidden [M, 3]');
      expect(run(tf.zeros([6]), weight, rows, rows)).toThrow('hidden [6]');
      expect(run(hidden, weight, rows, rows, { bias: tf.zeros([3]) })).toThrow('bias [4] or absent');
      expect(run(tf.zeros([2, 5]), { ...weight, shape: [4, 5] }, rows, rows)).toThrow(
        'a weight of 4 · 5 values in f32',
      );
      for (const temperature of [0, -1, Number.NaN]) {
        expect(run(hidden, weight, rows, rows, { temperature })).toThrow('temperature must be above 0');
      }
    });
  }));

test('no rows at all give nothing, and gradients of zeros', async () => {
  const { op, inputs, wanted } = logProbCase({ tokens: 3, width: 2, vocab: 4, trains: true, withEntropy: true });
  const none = [inputs[0]!, inputs[1]!, intValues([], [0]), intValues([], [0])];
  expect((await runOn('cpu', op, none)).map((v) => v.length)).toEqual([0, 0]);
  const dy = [{ data: new Float32Array(0), shape: [0] }, null];
  for (const gradient of await gradientsOn('cpu', op, none, wanted, dy)) {
    expect(gradient.every((v) => v === 0)).toBe(true);
  }
});
