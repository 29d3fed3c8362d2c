import { expect, test } from 'vitest';
import { type GluActivation, glu } from '../../../src/engine/kernels/pointwise/glu';
import { checkGradient, expectClose, gradientsOn, type Op, randomValues, runOn } from '../../kernel-helpers';

const of =
  (activation: GluActivation): Op =>
  (gate, up) => [glu(gate!, up!, activation)];
const op = of('silu');
const BOTH: GluActivation[] = ['silu', 'gelu_tanh'];

test('SwiGLU by hand', async () => {
  const [y] = await runOn('cpu', op, [
    { data: Float32Array.of(0, 1, -1, 30), shape: [2, 2] },
    { data: Float32Array.of(5, 2, 2, -1), shape: [2, 2] },
  ]);
  expectClose(y!, [0, 2 / (1 + Math.exp(-1)), -2 / (1 + Math.E), -30]);
});

test('GeGLU by hand, as in torch’s gelu(approximate="tanh")', async () => {
  const gate = Float32Array.of(0, 1, -1, 3, -3, 30);
  const [y] = await runOn('cpu', of('gelu_tanh'), [
    { data: gate, shape: [2, 3] },
    { data: new Float32Array(6).fill(2), shape: [2, 3] },
  ]);
  const tanh = gate.map((g) => g * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (g + 0.044715 * g ** 3))));
  expectClose(y!, tanh, { rtol: 1e-7 });
  expect(y![1]! / 2).toBeCloseTo(0.8411919906, 6);
});

test.each(BOTH)('GLU with %s: gradients match finite differences', async (activation) => {
  await checkGradient(of(activation), [randomValues([2, 5], 1), randomValues([2, 5], 2)], [0, 1]);
  await checkGradient(of(activation), [randomValues([7, 12], 3, 2), randomValues([7, 12], 4)], [0, 1]);
});

test.each(BOTH)('GLU with %s: gates of ±1000 give finite values and gradients', async (activation) => {
  const op = of(activation);
  const gate = { data: Float32Array.of(1000, -1000), shape: [1, 2] };
  const up = { data: Float32Array.of(1, 1), shape: [1, 2] };
  const [y] = await runOn('cpu', op, [gate, up]);
  expect([y![0], Math.abs(y![1]!)]).toEqual([1000, 0]);
  const [dGate, dUp] = await gradientsOn('cpu', op, [gate, up], [0, 1], [up]);
  expect([dGate![0], Math.abs(dGate![1]!), dUp![0], Math.abs(dUp![1]!)]).toEqual([1, 0, 1000, 0]);
});

test('GLU names the shapes that do not match', async () => {
  await expect(runOn('cpu', op, [randomValues([3, 5], 1), randomValues([3, 4], 2)])).rejects.toThrow(
    'got gate [3,5], up [3,4]',
  );
});
