import { expect, test } from 'vitest';
import { widen } from '../../../src/engine/kernels/products/weight-reference';
import { checkGradient, expectClose, randomValues, runOn } from '../../kernel-helpers';
import { storedWeights } from '../../parity/blocks';
import { NORM_CASES, normCase, SCALE_CASES, scaleCase, squaresOp } from '../../parity/columns';

test('scaled columns: y = x · factor + bias + residual, by hand', async () => {
  const { op } = scaleCase({ m: 2, n: 2, bias: true, residual: true });
  const [y] = await runOn('cpu', op, [
    { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
    { data: Float32Array.of(10, -1), shape: [2] },
    { data: Float32Array.of(0.5, 0.25), shape: [2] },
    { data: Float32Array.of(100, 200, 300, 400), shape: [2, 2] },
  ]);
  expect([...y!]).toEqual([110.5, 198.25, 330.5, 396.25]);
});

test.each(SCALE_CASES.slice(0, 4))('scaled columns: gradients match finite differences, %o', async (c) => {
  const { op, inputs, wanted } = scaleCase(c);
  await checkGradient(op, inputs, wanted);
});

test('scaled columns: shapes that do not match are named', async () => {
  const { op, inputs } = scaleCase({ m: 2, n: 3 });
  await expect(runOn('cpu', op, [inputs[0]!, randomValues([2], 1)])).rejects.toThrow('factor [2]');
});

test('squares of rows are those of the decoded values in every format', async () => {
  for (const { name, format, shape, stored, values } of await storedWeights()) {
    const [squares] = await runOn('cpu', squaresOp(format, shape), [stored]);
    const [rows, width] = shape;
    const expected = Float32Array.from({ length: rows }, (_, i) =>
      values.subarray(i * width, (i + 1) * width).reduce((sum, v) => sum + v * v, 0),
    );
    expectClose(squares!, expected, { rtol: 1e-6 }, name);
  }
});

test.each(NORM_CASES)('norms of the rows of W + s·B·A match the explicit sum: %o', async (c) => {
  const { op, inputs } = normCase(c);
  const { out, width, rank, scale, format } = c;
  const [w, a, b] = inputs.map(({ data }) => data) as [Float32Array, Float32Array, Float32Array];
  const weight = widen(w, format, out * width);
  const expected = Float32Array.from({ length: out }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < width; j++) {
      let value = weight[i * width + j]!;
      for (let k = 0; k < rank; k++) value += scale * b[i * rank + k]! * a[k * width + j]!;
      sum += value * value;
    }
    return Math.sqrt(sum);
  });
  const [norms] = await runOn('cpu', op, inputs);
  expectClose(norms!, expected, { rtol: 1e-6 });
});

test('a row of zeros has a norm that can be a divisor', async () => {
  const { op, inputs } = normCase({ out: 2, width: 3, rank: 1, scale: 1, format: 'f32' });
  inputs[0]!.data.fill(0);
  inputs[2]!.data.fill(0);
  const [norms] = await runOn('cpu', op, inputs);
  for (const norm of norms!) expect(0 / norm).toBe(0);
});
