import { expect, test } from 'vitest';
import { type DropoutAttrs, dropout } from '../../../src/engine/kernels/pointwise/dropout';
import type { Op } from '../../kernel-helpers';
import { checkGradient, expectSameOnGpu, gradientsOn, randomValues, runOn } from '../../kernel-helpers';

const op =
  (attrs: Partial<DropoutAttrs> = {}): Op =>
  (x) => [dropout(x!, { p: 0.3, seed: 42, step: 7, tag: 3, ...attrs })];

test.each([[[1]], [[3]], [[5, 7]], [[33, 64]]])('dropout of %j gives the same bits as the reference', (shape) =>
  expectSameOnGpu(op(), [randomValues(shape, 1)], { wanted: [0], rtol: 0 }),
);

test('dropout: seeds, steps and tags beyond 31 bits match the reference', () =>
  expectSameOnGpu(op({ seed: 2 ** 32 - 1, step: 2 ** 31 + 5, tag: 0xdeadbeef }), [randomValues([64], 1)], { rtol: 0 }));

test('dropout: gradients match finite differences', () =>
  checkGradient(op(), [randomValues([6, 7], 2)], [0], { backend: 'webgpu' }));

test('dropout: the gradient uses the mask of the forward pass', async () => {
  const x = { data: new Float32Array(400).fill(1), shape: [20, 20] };
  const [y] = await runOn('webgpu', op(), [x]);
  const [dx] = await gradientsOn('webgpu', op(), [x], [0], [x]);
  expect(dx).toEqual(y);
});

test('dropout: a dropped infinity is 0, not NaN', async () => {
  const x = { data: new Float32Array(16).fill(Number.POSITIVE_INFINITY), shape: [16] };
  const [y] = await runOn('webgpu', op(), [x]);
  expect(y!.some((v) => v === 0) && y!.every((v) => !Number.isNaN(v))).toBe(true);
});
