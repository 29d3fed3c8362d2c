import { expect, test } from 'vitest';
import { swiglu } from '../../../src/engine/kernels/swiglu';
import { checkGradient, expectClose, gradientsOn, type Op, randomValues, runOn } from '../../kernel-helpers';

const op: Op = (gate, up) => [swiglu(gate!, up!)];

test('SwiGLU by hand', async () => {
  const [y] = await runOn('cpu', op, [
    { data: Float32Array.of(0, 1, -1, 30), shape: [2, 2] },
    { data: Float32Array.of(5, 2, 2, -1), shape: [2, 2] },
  ]);
  expectClose(y!, [0, 2 / (1 + Math.exp(-1)), -2 / (1 + Math.E), -30]);
});

test('SwiGLU: gradients against finite differences', async () => {
  await checkGradient(op, [randomValues([2, 5], 1), randomValues([2, 5], 2)], [0, 1]);
  await checkGradient(op, [randomValues([7, 12], 3, 2), randomValues([7, 12], 4)], [0, 1]);
});

test('SwiGLU: gates of ±1000 give finite values and gradients', async () => {
  const gate = { data: Float32Array.of(1000, -1000), shape: [1, 2] };
  const up = { data: Float32Array.of(1, 1), shape: [1, 2] };
  const [y] = await runOn('cpu', op, [gate, up]);
  expect([y![0], Math.abs(y![1]!)]).toEqual([1000, 0]);
  const [dGate, dUp] = await gradientsOn('cpu', op, [gate, up], [0, 1], [up]);
  expect([dGate![0], Math.abs(dGate![1]!), dUp![0], Math.abs(dUp![1]!)]).toEqual([1, 0, 1000, 0]);
});

test('SwiGLU says which shapes do not fit', async () => {
  await expect(runOn('cpu', op, [randomValues([3, 5], 1), randomValues([3, 4], 2)])).rejects.toThrow(
    'got gate [3,5], up [3,4]',
  );
});
