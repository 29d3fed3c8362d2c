/**
 * Products in every format of weights, with their gradients, and a LoRA layer and a loss over quantised ones: one shape each, since most of
 * tests/gpu/kernels/weight-formats, linear and lora-linear is compiling, which takes minutes.
 */
import { describe, expect, test } from 'vitest';
import { linear } from '../../src/engine/kernels/products/linear';
import type { WeightFormat } from '../../src/engine/types';
import { expectClose, expectSameOnGpu, gradientsOn, type Op, randomValues, runOn, withTraits } from '../kernel-helpers';
import { GGUF_FORMATS, storedWeights } from '../parity/blocks';
import { crossEntropyCase, linearCase, loraCase, weightOn } from '../parity/products';

const stored = (await storedWeights()).filter(({ name }) => name !== 'nf4 many' && name !== 'nf4 half');
const M = 3;

test('the stored weights have every block format', () => {
  expect(new Set(stored.map(({ format }) => format))).toEqual(new Set([...GGUF_FORMATS, 'nf4']));
});

test.each(stored.map((weight) => [weight.name, weight] as const))('%s: product and gradient', async (_, weight) => {
  const { format, shape, values } = weight;
  const product =
    (f: WeightFormat): Op =>
    (x, w) => [linear({ weight: weightOn(w!, f, shape), bias: null }, x!)];
  const x = randomValues([M, shape[1]], 1);
  const probe = [randomValues([M, shape[0]], 2)];
  const dense = { data: values, shape };
  const [y] = await runOn('webgpu', product(format), [x, weight.stored]);
  const [expected] = await runOn('cpu', product('f32'), [x, dense]);
  expectClose(y!, expected!, { rtol: 1e-5 }, 'product');
  const [dx] = await gradientsOn('webgpu', product(format), [x, weight.stored], [0], probe);
  const [expectedDx] = await gradientsOn('cpu', product('f32'), [x, dense], [0], probe);
  expectClose(dx!, expectedDx!, { rtol: 1e-5 }, 'gradient');
});

describe.each([{ software: true }, { software: false }])('tiles for %o', (traits) => {
  test.each(['f32', 'bf16'] as const)('%s: product with bias and residual, and gradients', (format) =>
    withTraits(traits, async () => {
      const { op, inputs } = linearCase({ m: 9, k: 20, n: 12, format, bias: true, residual: true });
      await expectSameOnGpu(op, inputs, { wanted: [0], rtol: 1e-5 });
    }),
  );
});

test('LoRA and cross-entropy over NF4 and Q4_K', async () => {
  for (const { format, shape, stored: weight } of stored.filter(({ name }) => ['nf4 rows', 'q4_k'].includes(name))) {
    const [n, k] = shape;
    const lora = loraCase({ weight, format, m: 5, n, k, rank: 4, scale: 2, residual: true, bias: true });
    await expectSameOnGpu(lora.op, lora.inputs, { wanted: lora.wanted, rtol: 1e-5 });
    const sizes = { tokens: 7, width: k, vocab: n, padding: 2, skipEvery: 3, size: 0.1 };
    const loss = crossEntropyCase({ weight, format, ...sizes });
    await expectSameOnGpu(loss.op, loss.inputs, { wanted: [0], rtol: 2e-5 });
  }
});
