import { expect, test } from 'vitest';
import { type GluActivation, glu } from '../../../src/engine/kernels/pointwise/glu';
import type { Op } from '../../kernel-helpers';
import { checkGradient, expectSameOnGpu, gradientsOn, randomValues, runOn } from '../../kernel-helpers';

const of =
  (activation: GluActivation): Op =>
  (gate, up) => [glu(gate!, up!, activation)];
const op = of('silu');
const BOTH: GluActivation[] = ['silu', 'gelu_tanh'];

test.each([
  [1, 1],
  [3, 5],
  [7, 16],
  [33, 352],
])('GLU: [%i, %i] matches the reference', async (rows, f) => {
  const inputs = [randomValues([rows, f], 1, 3), randomValues([rows, f], 2)];
  for (const activation of BOTH) await expectSameOnGpu(of(activation), inputs, { wanted: [0, 1], rtol: 2e-6 });
});

test.each(BOTH)('GLU with %s: gradients match finite differences', async (activation) => {
  const op = of(activation);
  for (const [rows, f] of [
    [2, 5],
    [4, 24],
  ] as const) {
    await checkGradient(op, [randomValues([rows, f], 3), randomValues([rows, f], 4)], [0, 1], { backend: 'webgpu' });
  }
});

test('GLU: either gradient can be requested alone', async () => {
  const inputs = [randomValues([3, 4], 3), randomValues([3, 4], 4)];
  const probe = [randomValues([3, 4], 5)];
  const [gate, up] = await gradientsOn('webgpu', op, inputs, [0, 1], probe);
  expect(await gradientsOn('webgpu', op, inputs, [0], probe)).toEqual([gate]);
  expect(await gradientsOn('webgpu', op, inputs, [1], probe)).toEqual([up]);
});

test.each(BOTH)('GLU with %s: large gates neither overflow nor give NaN', async (activation) => {
  const op = of(activation);
  const gate = { data: Float32Array.of(-1e4, -200, -90, 0, 90, 200, 1e4, -0), shape: [1, 8] };
  const up = { data: new Float32Array(8).fill(1), shape: [1, 8] };
  const [y] = await runOn('webgpu', op, [gate, up]);
  [0, 0, 0, 0, 90, 200, 1e4, 0].forEach((expected, i) => {
    expect(y![i]).toBeCloseTo(expected, 4);
  });
  const [dGate, dUp] = await gradientsOn('webgpu', op, [gate, up], [0, 1], [up]);
  [0, 0, 0, 0.5, 1, 1, 1, 0.5].forEach((expected, i) => {
    expect(dGate![i]).toBeCloseTo(expected, 5);
  });
  expect(dUp!.every(Number.isFinite)).toBe(true);
});
