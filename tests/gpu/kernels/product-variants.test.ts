/** Every kernel of a product (variants.ts) against the references: NT, NN and TN, on sizes that tiles divide and that they do not. */
import { describe, expect, test } from 'vitest';
import type { Family } from '../../../src/base/kernels';
import { linear, transposedProduct } from '../../../src/engine/kernels/products/linear';
import { nnVariant, ntVariant, tnVariant } from '../../../src/engine/kernels/products/variants';
import type { WeightFormat } from '../../../src/engine/types';
import { gpuBackend } from '../../../src/engine/webgpu/backend';
import {
  checkGradient,
  expectClose,
  expectSameOnGpu,
  gradientsOn,
  type Op,
  randomValues,
  runOn,
  withTraits,
} from '../../kernel-helpers';
import { rowsInFours, storedWeights } from '../../parity/blocks';
import { linearCase, loraCase, weightOn } from '../../parity/products';

const FAMILIES = ['quad', 'tile', 'split'] as const satisfies Family[];

/** Rows that no tile divides, one tile and more, and sums that end within a tile, or, of 13 values, without fours. */
const SHAPES = [
  { m: 5, k: 12, n: 20 },
  { m: 17, k: 36, n: 8 },
  { m: 66, k: 100, n: 72 },
  { m: 33, k: 68, n: 70 },
  { m: 9, k: 13, n: 12 },
  { m: 9, k: 16, n: 11 },
];

const sizes = { rows: 66, columns: 72, steps: 100, format: 'bf16' as const, quads: true, inFours: true };

describe.each(FAMILIES)('%s', (kernels) => {
  const forced = (body: () => Promise<void>) => withTraits({ kernels }, body);

  test('is what runs', () =>
    forced(async () => {
      const backend = gpuBackend();
      expect([ntVariant(backend, sizes).scheme.family, nnVariant(backend, sizes).scheme.family]).toEqual([
        kernels,
        kernels,
      ]);
      const weights = tnVariant(backend, 100, [{ p: 66, q: 72, shape: { quads: true } }]);
      expect(weights.scheme.family).toBe(kernels === 'split' ? 'tile' : kernels);
      // Rows of 13 values cannot be read in fours.
      expect(ntVariant(backend, { ...sizes, quads: false, inFours: false }).scheme.family).toBe('register');
    }));

  test.each(SHAPES)('$m×$k→$n: the product, and the gradients of its input and weight', (shape) =>
    forced(async () => {
      for (const more of [{}, { bias: true, residual: true }]) {
        const { op, inputs } = linearCase({ ...shape, ...more });
        await expectSameOnGpu(op, inputs, { wanted: inputs.map((_, i) => i), rtol: 3e-6 });
      }
      const { op, inputs } = linearCase({ ...shape, format: 'bf16' });
      await expectSameOnGpu(op, inputs, { wanted: [0], rtol: 3e-6 });
    }),
  );

  test.each([
    { rank: 8, branch: false, residual: true },
    { rank: 16, branch: true, bias: true },
    { rank: 3, branch: false },
  ])('LoRA: %o', (lora) =>
    forced(async () => {
      for (const shape of [
        { m: 18, k: 64, n: 40 },
        { m: 70, k: 36, n: 130 },
      ]) {
        const { op, inputs, wanted } = loraCase({ ...shape, ...lora, scale: 2 });
        await expectSameOnGpu(op, inputs, { wanted, rtol: 5e-6 });
      }
    }),
  );

  test.each([
    [7, 8, 40],
    [66, 40, 8],
    [37, 72, 100],
    [5, 11, 6],
  ])('TN over %i rows: %i × %i', (m, p, q) =>
    forced(() => {
      const op: Op = (a, b) => [transposedProduct(a!, b!)];
      return expectSameOnGpu(op, [randomValues([m, p], 1), randomValues([m, q], 2)], { rtol: 3e-6 });
    }),
  );

  test('gradients match finite differences', () =>
    forced(async () => {
      const { op, inputs } = linearCase({ m: 6, k: 12, n: 8, bias: true, residual: true });
      await checkGradient(op, inputs, [0, 1, 2, 3], { backend: 'webgpu' });
      const c = loraCase({ m: 6, k: 8, n: 12, rank: 4, scale: 1.5 });
      await checkGradient(c.op, c.inputs, c.wanted, { backend: 'webgpu' });
    }));

  test.each(['as stored', 'rows in fours'])(
    'every stored format, %s: the product and the gradient of its input',
    (rows) =>
      forced(async () => {
        const all = await storedWeights();
        const backend = gpuBackend();
        const inFours = rows === 'rows in fours';
        const weights = inFours ? all.filter((weight) => weight.format !== 'nf4').map(rowsInFours) : all;
        for (const { name, format, shape, stored, values } of weights) {
          const [n, k] = shape;
          const m = 10;
          if (inFours) {
            const own = { rows: m, columns: n, steps: k, format, quads: true, inFours };
            expect(ntVariant(backend, own).scheme.family).toBe(kernels);
          }
          const product =
            (f: WeightFormat): Op =>
            (x, w) => [linear({ weight: weightOn(w!, f, shape), bias: null }, x!)];
          const x = randomValues([m, k], 1);
          const probe = [randomValues([m, n], 2)];
          const dense = { data: values, shape };
          const [y] = await runOn('webgpu', product(format), [x, stored]);
          const [expected] = await runOn('cpu', product('f32'), [x, dense]);
          expectClose(y!, expected!, { rtol: 1e-5 }, name);
          const [dx] = await gradientsOn('webgpu', product(format), [x, stored], [0], probe);
          const [expectedDx] = await gradientsOn('cpu', product('f32'), [x, dense], [0], probe);
          expectClose(dx!, expectedDx!, { rtol: 1e-5 }, `${name}: gradient`);
        }
      }),
  );

  test('the same numbers give the same bits every time', () =>
    forced(async () => {
      const { op, inputs, wanted } = loraCase({ m: 34, k: 72, n: 40, rank: 8, scale: 1 });
      const probe = [randomValues([34, 40], 9)];
      const [first, gradients] = [
        await runOn('webgpu', op, inputs),
        await gradientsOn('webgpu', op, inputs, wanted, probe),
      ];
      for (let i = 0; i < 2; i++) {
        expect(await runOn('webgpu', op, inputs)).toEqual(first);
        expect(await gradientsOn('webgpu', op, inputs, wanted, probe)).toEqual(gradients);
      }
    }));
});
