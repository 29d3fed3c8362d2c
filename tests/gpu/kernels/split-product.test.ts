/** A product over the rows of a weight in pieces (recordSplitNN): each piece has a result of its own, and they add up. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { recordNN, recordSplitNN, splitOf } from '../../../src/engine/kernels/products/matmul';
import { weightOperand } from '../../../src/engine/kernels/products/weight';
import { gpuBackend, readFloats } from '../../../src/engine/webgpu/backend';
import { expectClose, randomValues, tensorOf, type Values, withBackend, withTraits } from '../../kernel-helpers';
import { storedWeights } from '../../parity/blocks';
import { weightValues } from '../../parity/products';

interface Product {
  m: number;
  n: number;
  k: number;
  format: Parameters<typeof weightValues>[1];
  weight: Values;
}

/** y[m,n]·w[n,k] in so many pieces, [pieces, m, k]; 0 is the product that is not split. */
const product = ({ m, n, k, format, weight }: Product, pieces: number): Promise<Float32Array> =>
  withBackend('webgpu', async () => {
    const y = tensorOf(randomValues([m, n], 3));
    const w = tensorOf(weight);
    // What is not written would show.
    const z = tf.fill([Math.max(1, pieces), m, k], Number.NaN);
    const call = { y, w: weightOperand({ weight: w }, { format, out: n, in: k, rows: [n] }), z, m, n, k };
    if (pieces === 0) recordNN(gpuBackend(), call);
    else recordSplitNN(gpuBackend(), call, pieces);
    const values = await readFloats(z);
    tf.dispose([y, w, z]);
    return values;
  });

const sum = (pieces: Float32Array, count: number): Float32Array => {
  const size = pieces.length / count;
  return Float32Array.from({ length: size }, (_, i) => {
    let total = 0;
    for (let piece = 0; piece < count; piece++) total += pieces[piece * size + i]!;
    return total;
  });
};

async function check(c: Product) {
  const whole = await product(c, 0);
  expect(await product(c, 1)).toEqual(whole);
  for (const pieces of [2, 3, 7]) {
    const split = await product(c, pieces);
    expectClose(sum(split, pieces), whole, { rtol: 2e-6 }, `${pieces} pieces`);
    expect(await product(c, pieces)).toEqual(split);
  }
}

const dense = (m: number, n: number, k: number, format: 'f32' | 'bf16' = 'f32'): Product => ({
  ...{ m, n, k, format },
  weight: weightValues([n, k], format, 2),
});

// In seven pieces, the five rows of the second leave five pieces without any.
test.each([
  dense(1, 8, 4),
  dense(3, 5, 7),
  dense(5, 257, 20),
  dense(33, 64, 36, 'bf16'),
  dense(9, 130, 13),
  dense(70, 1000, 24),
])('$m × $n × $k in $format: pieces add up to the whole, and one piece is the whole to the bit', async (c) => {
  for (const software of [true, false]) await withTraits({ software }, () => check(c));
});

test('pieces of stored formats add up', async () => {
  for (const { format, shape, stored } of await storedWeights()) {
    const [n, k] = shape as [number, number];
    await check({ m: 6, n, k, format, weight: stored });
  }
});

test('a product is split where a GPU would have too little to do, by its shapes alone', () =>
  withTraits({ software: false }, async () => {
    const of = (m: number, n: number, k: number) => splitOf(gpuBackend(), { m, n, k });
    // 32,768 threads are wanted: 10,152 of a tile each (1,128 rows of SmolLM2) take four pieces.
    expect(of(1128, 49_152, 576)).toBe(4);
    expect(of(120, 128_256, 2048)).toBe(9);
    // A piece has 1,024 rows at least.
    expect(of(8, 49_152, 576)).toBe(48);
    expect(of(8, 1023, 576)).toBe(1);
    expect(of(4096, 49_152, 4096)).toBe(1);
    await withTraits({ software: true }, async () => expect(of(8, 49_152, 576)).toBe(1));
  }));
