/**
 * Tiles of f16 (tile-scheme.ts), which SwiftShader cannot run: against references whose inputs are rounded, and against f32. Also by
 * subgroup matrices (matrix-scheme.ts) where the driver has them: llvmpipe since Mesa 26.1.
 */
import { describe, expect, test } from 'vitest';
import { linear } from '../../src/engine/kernels/products/linear';
import { nnVariant, ntVariant, tnVariant } from '../../src/engine/kernels/products/variants';
import type { WeightFormat } from '../../src/engine/types';
import { adapterTraits } from '../../src/engine/webgpu/adapter';
import { gpuBackend } from '../../src/engine/webgpu/backend';
import { f16ToF32, f32ToF16 } from '../../src/formats/half';
import {
  checkGradient,
  expectClose,
  gradientsOn,
  type Op,
  randomValues,
  runOn,
  setupGpu,
  type Values,
  withTraits,
} from '../kernel-helpers';
import { storedWeights } from '../parity/blocks';
import { crossEntropyCase, linearCase, linearsCase, loraCase, weightOn } from '../parity/products';

await setupGpu();
const { matrix: own } = adapterTraits(gpuBackend().device);
const KINDS = [{ family: 'half', matrix: null }, ...(own ? [{ family: 'matrix', matrix: own }] : [])] as const;

const rounded = ({ data, shape }: Values): Values => ({ data: f16ToF32(f32ToF16(data as Float32Array)), shape });

/** Sums of up to a few hundred products of the same numbers, in another order. */
const SAME = 3e-6;
/** f16 has 11 bits: each factor is wrong by up to 2⁻¹¹ of itself, and errors of a sum largely cancel. */
const NEAR = 1e-3;

const largest = (values: ArrayLike<number>) => Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) => largest(Array.from(a, (v, i) => v - b[i]!));

const product =
  (format: WeightFormat, shape: [number, number]): Op =>
  (x, w) => [linear({ weight: weightOn(w!, format, shape), bias: null }, x!)];

/** A product and the gradient of its input, against the reference of rounded inputs and of f32; they must not be f32's. */
async function check(name: string, m: number, format: WeightFormat, weight: Values, dense: Values): Promise<void> {
  const shape = dense.shape as [number, number];
  const [n, k] = shape;
  const x = randomValues([m, k], 1);
  const probe = [randomValues([m, n], 2)];
  const [y] = await runOn('webgpu', product(format, shape), [x, weight]);
  const [dx] = await gradientsOn('webgpu', product(format, shape), [x, weight], [0], probe);
  const f32 = product('f32', shape);
  const [ofRounded] = await runOn('cpu', f32, [rounded(x), rounded(dense)]);
  const [whole] = await runOn('cpu', f32, [x, dense]);
  expectClose(y!, ofRounded!, { rtol: SAME }, `${name}: product of rounded inputs`);
  expectClose(y!, whole!, { rtol: NEAR }, `${name}: product`);
  expect(furthest(y!, whole!), `${name}: rounds`).toBeGreaterThan(10 * furthest(y!, ofRounded!));
  // dy stays f32.
  const [back] = await gradientsOn('cpu', f32, [x, rounded(dense)], [0], probe);
  const [wholeBack] = await gradientsOn('cpu', f32, [x, dense], [0], probe);
  expectClose(dx!, back!, { rtol: SAME }, `${name}: gradient by the rounded weight`);
  expectClose(dx!, wholeBack!, { rtol: NEAR }, `${name}: gradient`);
}

const f16 = (value: number) => f16ToF32(f32ToF16(Float32Array.of(value)))[0]!;

describe.each(KINDS)('$family', ({ family, matrix }) => {
  const half = <T>(body: () => Promise<T>) => withTraits({ kernels: 'tile', half: true, matrix }, body);

  test('is what runs where tiles would, and leaves small products in f32', () =>
    withTraits({ half: true, matrix }, async () => {
      const backend = gpuBackend();
      const sizes = { rows: 640, columns: 640, steps: 64, format: 'bf16' as const, quads: true, inFours: true };
      const [nt, nn] = [ntVariant(backend, sizes), nnVariant(backend, sizes)];
      expect([nt, nn].map(({ scheme }) => scheme.family)).toEqual([family, 'half']);
      expect(ntVariant(backend, { ...sizes, columns: 8 }).scheme.family).toBe('split');
      // One scheme, so that the gradients of input and weights stay one dispatch.
      expect(tnVariant(backend, 66, [{ p: 64, q: 64, shape: { quads: true } }]).scheme).toBe(nn.scheme);
    }));

  test.each([
    { m: 5, k: 12, n: 20 },
    { m: 66, k: 100, n: 72 },
    { m: 33, k: 68, n: 70 },
  ])('$m×$k→$n: the product and its gradient', ({ m, k, n }) =>
    half(async () => {
      const dense = randomValues([n, k], 3);
      await check('f32', m, 'f32', dense, dense);
    }),
  );

  test('every stored format, rows that no tile divides', () =>
    half(async () => {
      for (const { name, format, shape, stored, values } of await storedWeights()) {
        // Rows of NF4 need not be fours, and registers compute those in f32.
        if (shape[1] % 4 === 0) await check(name, 10, format, stored, { data: values, shape });
      }
    }));

  test('bias, residual, LoRA and its gradients are near those of f32', () =>
    half(async () => {
      const cases = [
        { ...linearCase({ m: 33, k: 68, n: 70, bias: true, residual: true }), wanted: [0, 2, 3] },
        linearsCase({
          ...{ m: 9, k: 36, format: 'bf16', joined: true },
          layers: [
            { n: 40, rank: 4 },
            { n: 8, rank: 4 },
          ],
        }),
      ];
      for (const { op, inputs, wanted } of cases) {
        const [y, expected] = [await runOn('webgpu', op, inputs), await runOn('cpu', op, inputs)];
        y.forEach((values, i) => {
          expectClose(values, expected[i]!, { rtol: NEAR }, `output ${i}`);
        });
        const probes = expected.map((values, i) =>
          randomValues([inputs[0]!.shape[0]!, values.length / inputs[0]!.shape[0]!], 50 + i),
        );
        const gradients = await gradientsOn('webgpu', op, inputs, wanted, probes);
        const own = await gradientsOn('cpu', op, inputs, wanted, probes);
        gradients.forEach((values, i) => {
          expectClose(values, own[i]!, { rtol: NEAR }, `gradient to input ${wanted[i]}`);
        });
      }
    }));

  test('gradients of a LoRA layer and of a loss match finite differences of f32', () =>
    half(async () => {
      const lora = loraCase({ m: 6, k: 8, n: 12, rank: 4, scale: 1.5 });
      await checkGradient(lora.op, lora.inputs, lora.wanted, { backend: 'webgpu', rtol: 3e-3 });
      const loss = crossEntropyCase({ tokens: 7, width: 8, vocab: 24, size: 0.5 });
      await checkGradient(loss.op, loss.inputs, loss.wanted, { backend: 'webgpu', rtol: 3e-3 });
    }));

  describe('range', () => {
    const shape: [number, number] = [8, 8];
    const filledWith = (value: number): Values => ({ data: new Float32Array(64).fill(value), shape });
    const ones = filledWith(1);

    test('gradients too small and too large for f16 come through', () =>
      half(async () => {
        for (const size of [1e-9, 1e9]) {
          const [dx] = await gradientsOn('webgpu', product('f32', shape), [ones, ones], [0], [filledWith(size)]);
          expectClose(dx!, new Float32Array(64).fill(8 * size), { rtol: SAME }, `${size}`);
        }
      }));

    test('sums beyond 65,504 are no overflow, and values beyond it are not finite instead of wrong', () =>
      half(async () => {
        const [sum] = await runOn('webgpu', product('f32', shape), [filledWith(60_000), filledWith(2)]);
        expectClose(sum!, new Float32Array(64).fill(8 * 2 * f16(60_000)), { rtol: SAME });
        const [over] = await runOn('webgpu', product('f32', shape), [filledWith(70_000), ones]);
        expect([...over!].every((v) => !Number.isFinite(v))).toBe(true);
      }));
  });

  test('the same numbers give the same bits every time', () =>
    half(async () => {
      const { op, inputs } = loraCase({ m: 34, k: 72, n: 40, rank: 8, scale: 1 });
      const first = await runOn('webgpu', op, inputs);
      expect(await runOn('webgpu', op, inputs)).toEqual(first);
    }));
});
