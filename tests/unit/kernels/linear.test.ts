import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { linear, linearBackwardInput, transposedProduct } from '../../../src/engine/kernels/products/linear';
import { groupsFor } from '../../../src/engine/kernels/products/matmul';
import { denseWeight } from '../../../src/engine/kernels/products/weight';
import { valueAndGradients } from '../../../src/engine/kernels/tape';
import { checkGradient, expectClose, randomValues, runOn, tensorOf, withBackend } from '../../kernel-helpers';
import { linearCase, weightOn } from '../../parity/products';

test('linear: y = x·Wᵀ + bias + residual, by hand', async () => {
  const inputs = [
    { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] },
    { data: Float32Array.of(1, 0, -1, 2, 1, 0.5), shape: [2, 3] },
    { data: Float32Array.of(10, 20), shape: [2] },
    { data: Float32Array.of(0.25, 0.5, 0.75, 1), shape: [2, 2] },
  ];
  const { op } = linearCase({ m: 2, k: 3, n: 2, bias: true, residual: true });
  const [y] = await runOn('cpu', op, inputs);
  // 1-3+10+0.25, 2+2+1.5+20+0.5; 4-6+10+0.75, 8+5+3+20+1
  expect([...y!]).toEqual([8.25, 26, 8.75, 37]);
});

test('linear: bf16 is read low half first, with rows straddling words', async () => {
  // bf16 of 1, 2, -0.5, 4, 8, 16: rows of three in three words.
  const words = Int32Array.of(0x40003f80, 0x4080bf00, 0x41804100);
  const { op } = linearCase({ m: 1, k: 3, n: 2, format: 'bf16' });
  const x = { data: Float32Array.of(1, 10, 100), shape: [1, 3] };
  const [y] = await runOn('cpu', op, [x, { data: words, shape: [3] }]);
  expect([...y!]).toEqual([1 + 20 - 50, 4 + 80 + 1600]);
});

test.each([
  { m: 1, k: 13, n: 5 },
  { m: 3, k: 6, n: 4, bias: true, residual: true },
])('linear: gradients match finite differences, %o', async (c) => {
  const { op, inputs } = linearCase(c);
  await checkGradient(
    op,
    inputs,
    inputs.map((_, i) => i),
  );
});

test('linear: gradients over packed bf16 weights match finite differences', async () => {
  const { op, inputs } = linearCase({ m: 4, k: 7, n: 3, format: 'bf16', bias: true, residual: true });
  await checkGradient(op, inputs, [0, 2, 3]);
});

test('linear: requesting the gradient of a frozen weight is an error', async () => {
  await tf.setBackend('cpu');
  const weight = tf.zeros([2], 'int32');
  const x = tf.ones([1, 2]);
  const loss = () => tf.sum(linear({ weight: weightOn(weight, 'bf16', [2, 2]), bias: null }, x)) as tf.Scalar;
  expect(() => valueAndGradients(loss, [weight])).toThrow(/stored as bf16 is frozen/);
});

test('linear: shapes that do not match are named', () =>
  withBackend('cpu', () => {
    const module = { weight: denseWeight(tf.zeros([2, 3])), bias: null };
    tf.tidy(() => {
      expect(() => linear(module, tf.zeros([4, 2]))).toThrow('expected x [M, 3]');
      expect(() => linear(module, tf.zeros([1, 4, 3]))).toThrow('got x [1,4,3]');
      expect(() => linear(module, tf.zeros([4, 3]), tf.zeros([4, 3]))).toThrow('residual [4,3]');
    });
    tf.dispose(module.weight.parts.map((p) => p.tensor));
  }));

test('the product of a transposed matrix and another, by hand', () =>
  withBackend('cpu', async () => {
    const c = tf.tidy(() =>
      transposedProduct(
        tf.tensor2d([
          [1, 2],
          [3, 4],
        ]),
        tf.tensor2d([
          [1, 0, -1],
          [0.5, 2, 1],
        ]),
      ),
    );
    expect(c.shape).toEqual([2, 3]);
    expect([...(await c.data())]).toEqual([1 + 1.5, 6, -1 + 3, 2 + 2, 8, -2 + 4]);
    c.dispose();
  }));

test('the gradient of the input includes alpha and LoRA’s part', () =>
  withBackend('cpu', async () => {
    const [dy, w, h, a] = [
      [2, 3],
      [3, 5],
      [2, 2],
      [2, 5],
    ].map((shape, i) => tensorOf(randomValues(shape, 20 + i))) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const own = linearBackwardInput(dy, denseWeight(w), { lora: { h, a }, alpha: 0.5 });
    const stock = tf.tidy(() => tf.mul(0.5, tf.add(tf.matMul(dy, w), tf.matMul(h, a))));
    expectClose(await own.data(), await stock.data(), { rtol: 1e-6 });
    tf.dispose([dy, w, h, a, own, stock]);
  }));

test('threads are folded into two dimensions if one would exceed 65535 workgroups', () => {
  expect(groupsFor(1)).toEqual([1, 1]);
  expect(groupsFor(64 * 65535)).toEqual([65535, 1]);
  for (const threads of [64 * 65535 + 1, 64 * 65536 * 3, 1e9]) {
    const [x, y] = groupsFor(threads);
    expect(Math.max(x, y)).toBeLessThanOrEqual(65535);
    expect(x * y * 64).toBeGreaterThanOrEqual(threads);
  }
});
