import { expect, test } from 'vitest';
import { embedding } from '../../../src/engine/kernels/moves/embedding';
import type { WeightFormat } from '../../../src/engine/types';
import { checkGradient, gradientsOn, intValues, type Op, randomValues, runOn } from '../../kernel-helpers';

const op =
  (shape: number[], format: WeightFormat = 'f32'): Op =>
  (ids, table) => [embedding(ids!, { parts: [{ tensor: table!, rows: shape[0]! }], format, shape })];

const table = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] };

test('embedding: rows by id, with ids outside the table clamped', async () => {
  const [y] = await runOn('cpu', op([3, 2]), [intValues([2, 0, 2, -1, 7], [5]), table]);
  expect([...y!]).toEqual([5, 6, 1, 2, 5, 6, 1, 2, 5, 6]);
});

test('embedding: bf16 pairs, low half first, across rows of odd width', async () => {
  // 1, 2 | 3, -4 | 0.5, 8 as bf16: two rows of three.
  const words = intValues([0x40003f80, 0xc0804040 | 0, 0x41003f00], [3]);
  const [y] = await runOn('cpu', op([2, 3], 'bf16'), [intValues([1, 0], [2]), words]);
  expect([...y!]).toEqual([-4, 0.5, 8, 1, 2, 3]);
});

test('embedding: the gradient sums the occurrences of an id', async () => {
  const probe = { data: Float32Array.of(1, 10, 2, 20, 4, 40), shape: [3, 2] };
  const [d] = await gradientsOn('cpu', op([3, 2]), [intValues([2, 0, 2], [3]), table], [1], [probe]);
  expect([...d!]).toEqual([2, 20, 0, 0, 5, 50]);
});

test('embedding: gradients match finite differences', () =>
  checkGradient(op([5, 4]), [intValues([3, 0, 3, 3, 1, 0], [6]), randomValues([5, 4], 2)], [1]));

test('embedding: a packed table is frozen', async () => {
  const words = randomValues([4], 1);
  const inputs = [intValues([0], [1]), words];
  await expect(gradientsOn('cpu', op([2, 4], 'bf16'), inputs, [1], [randomValues([1, 4], 1)])).rejects.toThrow(
    'frozen',
  );
});

test('embedding names the shapes that do not match', async () => {
  await expect(runOn('cpu', op([4, 2]), [intValues([0], [1]), table])).rejects.toThrow('table [4, 2] as f32');
});
