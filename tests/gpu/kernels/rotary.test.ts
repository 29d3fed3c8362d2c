import { expect, test } from 'vitest';
import { rotary } from '../../../src/engine/kernels/attention/rotary';
import type { Op, Values } from '../../kernel-helpers';
import {
  checkGradient,
  expectClose,
  expectSameOnGpu,
  gradientsOn,
  intValues,
  randomValues,
} from '../../kernel-helpers';

const op =
  (headDim: number): Op =>
  (q, k, cos, sin, positions) =>
    rotary(q!, k!, { cos: cos!, sin: sin!, positions: positions!, headDim });

function inputs(rows: number, qHeads: number, kHeads: number, headDim: number, turning = headDim): Values[] {
  const half = turning / 2;
  const table = (f: (angle: number) => number): Values => ({
    data: Float32Array.from({ length: 40 * half }, (_, i) => f(Math.floor(i / half) / 10 ** ((i % half) / half))),
    shape: [40, half],
  });
  return [
    randomValues([rows, qHeads * headDim], 1),
    randomValues([rows, kHeads * headDim], 2),
    table(Math.cos),
    table(Math.sin),
    intValues(
      Array.from({ length: rows }, (_, i) => (i * 7) % 40),
      [rows],
    ),
  ];
}

test.each([
  [1, 1, 1, 2],
  [5, 3, 1, 10],
  [9, 4, 2, 8],
  [33, 6, 2, 32],
  [4, 2, 2, 64],
])('rotary: %i tokens, %i and %i heads of width %i match the reference', (rows, qHeads, kHeads, headDim) =>
  expectSameOnGpu(op(headDim), inputs(rows, qHeads, kHeads, headDim), { wanted: [0, 1], rtol: 1e-6 }),
);

test.each([
  [5, 3, 1, 10, 4],
  [9, 4, 2, 32, 16],
  [3, 2, 1, 16, 6],
])('rotary: %i tokens, %i and %i heads of width %i, %i of it rotated', (rows, qHeads, kHeads, headDim, turning) =>
  expectSameOnGpu(op(headDim), inputs(rows, qHeads, kHeads, headDim, turning), { wanted: [0, 1], rtol: 1e-6 }),
);

test('rotary: gradients match finite differences', async () => {
  await checkGradient(op(6), inputs(3, 2, 1, 6), [0, 1], { backend: 'webgpu' });
  await checkGradient(op(16), inputs(5, 4, 2, 16), [0, 1], { backend: 'webgpu' });
});

test('rotary: a loss on one output gives the other input zeros', async () => {
  const given = inputs(3, 2, 1, 8);
  const probe = randomValues([3, 8], 9);
  const [dq, dk] = await gradientsOn('webgpu', op(8), given, [0, 1], [null, probe]);
  expect(dq!.every((v) => v === 0)).toBe(true);
  const [, expected] = await gradientsOn('cpu', op(8), given, [0, 1], [null, probe]);
  expectClose(dk!, expected!, { rtol: 1e-6 });
});
