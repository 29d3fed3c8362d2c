import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { transposedProduct } from '../../../src/engine/kernels/products/linear';
import { checkGradient, expectSameOnGpu, type Op, randomValues, runOn, withTraits } from '../../kernel-helpers';
import { linearCase } from '../../parity/products';

/** Odd sizes, sizes of each register tile, and a single row as in generation. */
const SHAPES = [
  { m: 1, k: 1, n: 1 },
  { m: 1, k: 13, n: 5 },
  { m: 1, k: 64, n: 130 },
  { m: 1, k: 12, n: 96 },
  { m: 2, k: 8, n: 12 },
  { m: 3, k: 12, n: 70 },
  { m: 4, k: 16, n: 136 },
  { m: 5, k: 12, n: 10 },
  { m: 6, k: 10, n: 8 },
  { m: 7, k: 13, n: 11 },
  { m: 16, k: 12, n: 40 },
  { m: 130, k: 64, n: 96 },
];

test.each(SHAPES)(
  'linear $m×$k→$n matches the reference: f32 and bf16, with and without bias and residual',
  async (shape) => {
    await expectSameOnGpu(...everything(linearCase(shape)));
    await expectSameOnGpu(...everything(linearCase({ ...shape, bias: true, residual: true })));
    // A packed weight is frozen, so input 1 has no gradient.
    const { op, inputs } = linearCase({ ...shape, format: 'bf16' });
    await expectSameOnGpu(op, inputs, { wanted: [0], rtol: 2e-6 });
    const more = linearCase({ ...shape, format: 'bf16', bias: true, residual: true });
    await expectSameOnGpu(more.op, more.inputs, { wanted: [0, 2, 3], rtol: 2e-6 });
  },
);

const everything = ({ op, inputs }: ReturnType<typeof linearCase>) =>
  [op, inputs, { wanted: inputs.map((_, i) => i), rtol: 2e-6 }] as const;

test('linear matches the reference with the tiles for either kind of adapter', async () => {
  for (const software of [true, false]) {
    await withTraits({ software }, async () => {
      for (const shape of SHAPES) await expectSameOnGpu(...everything(linearCase({ ...shape, bias: true })));
    });
  }
});

test('linear: gradients match finite differences', async () => {
  const { op, inputs } = linearCase({ m: 5, k: 12, n: 10, bias: true, residual: true });
  await checkGradient(op, inputs, [0, 1, 2, 3], { backend: 'webgpu' });
});

test.each([
  [1, 1, 1],
  [1, 3, 4],
  [7, 13, 11],
  [5, 12, 10],
  [9, 8, 20],
  [130, 64, 96],
])('a product over %i rows of a transposed [·, %i] with a [·, %i] matches the reference', async (m, p, q) => {
  const op: Op = (a, b) => [transposedProduct(a!, b!)];
  await expectSameOnGpu(op, [randomValues([m, p], 1), randomValues([m, q], 2)], { rtol: 2e-6 });
});

test('linear: the same numbers give the same bits every time', async () => {
  const { op, inputs } = linearCase({ m: 33, k: 64, n: 40 });
  const first = await runOn('webgpu', op, inputs);
  for (let i = 0; i < 3; i++) expect(await runOn('webgpu', op, inputs)).toEqual(first);
});

test('linear: a weight that is not finite shows in the result', async () => {
  const { op, inputs } = linearCase({ m: 2, k: 8, n: 8 });
  inputs[1]!.data[3] = Number.NaN; // in the weight's first row, hence in the first column
  const [y] = await runOn('webgpu', op, inputs);
  expect([...y!].map(Number.isNaN)).toEqual([...Array(16).keys()].map((i) => i % 8 === 0));
  expect(tf.getBackend()).toBe('webgpu');
});
