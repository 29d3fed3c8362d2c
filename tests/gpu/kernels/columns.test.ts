import { expect, test } from 'vitest';
import { rowSquares } from '../../../src/engine/kernels/norms/row-squares';
import {
  checkGradient,
  expectClose,
  expectSameOnGpu,
  gradientsOn,
  randomValues,
  runOn,
  withTraits,
} from '../../kernel-helpers';
import { storedWeights } from '../../parity/blocks';
import { NORM_CASES, normCase, SCALE_CASES, scaleCase, squaresOp } from '../../parity/columns';
import { weightValues } from '../../parity/products';

test('scaled columns match the reference on either kind of adapter', async () => {
  for (const software of [true, false]) {
    await withTraits({ software }, async () => {
      for (const c of SCALE_CASES) {
        const { op, inputs, wanted } = scaleCase(c);
        await expectSameOnGpu(op, inputs, { wanted, rtol: 2e-6 });
      }
    });
  }
});

test('scaled columns: gradients match finite differences, and equal runs give equal bits', async () => {
  const { op, inputs, wanted } = scaleCase({ m: 7, n: 13, bias: true, residual: true });
  await checkGradient(op, inputs, wanted, { backend: 'webgpu' });
  const probe = [randomValues([7, 13], 9)];
  const first = await gradientsOn('webgpu', op, inputs, wanted, probe);
  expect(await gradientsOn('webgpu', op, inputs, wanted, probe)).toEqual(first);
});

test('squares of rows match the reference in every format', async () => {
  for (const software of [true, false]) {
    await withTraits({ software }, async () => {
      for (const { name, format, shape, stored } of await storedWeights()) {
        const op = squaresOp(format, shape);
        const [expected] = await runOn('cpu', op, [stored]);
        const [squares] = await runOn('webgpu', op, [stored]);
        expectClose(squares!, expected!, { rtol: 2e-6 }, name);
      }
      for (const format of ['f32', 'bf16'] as const) {
        for (const shape of [
          [5, 7],
          [33, 130],
        ] as [number, number][]) {
          await expectSameOnGpu(squaresOp(format, shape), [weightValues(shape, format, 3)], { rtol: 2e-6 });
        }
      }
    });
  }
});

test('squares of the rows of a weight in several buffers match the reference', async () => {
  const [a, b] = [randomValues([3, 10], 1), randomValues([4, 10], 2)];
  const op = (x: Parameters<typeof rowSquares>[0]['parts'][number]['tensor'], y: typeof x) => [
    rowSquares({
      parts: [
        { tensor: x, rows: 3 },
        { tensor: y, rows: 4 },
      ],
      format: 'f32',
      shape: [7, 10],
    }),
  ];
  await expectSameOnGpu((x, y) => op(x!, y!), [a, b], { rtol: 2e-6 });
});

test.each(NORM_CASES)('norms of the rows of W + s·B·A match the reference: %o', async (c) => {
  const { op, inputs } = normCase(c);
  await expectSameOnGpu(op, inputs, { rtol: 4e-6 });
});
