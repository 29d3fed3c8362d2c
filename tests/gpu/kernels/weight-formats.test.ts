import { expect, test } from 'vitest';
import { embedding } from '../../../src/engine/kernels/moves/embedding';
import { linear } from '../../../src/engine/kernels/products/linear';
import type { WeightFormat } from '../../../src/engine/types';
import { f16ToF32 } from '../../../src/formats/half';
import {
  expectClose,
  expectSameOnGpu,
  gradientsOn,
  intValues,
  type Op,
  randomValues,
  runOn,
  withTraits,
} from '../../kernel-helpers';
import { rowsInFours, type StoredWeight, storedWeights } from '../../parity/blocks';
import { crossEntropyCase, loraCase, weightOn } from '../../parity/products';

const everyId = (n: number) =>
  intValues(
    Array.from({ length: n }, (_, i) => (i * 7) % n),
    [n],
  );

test('an embedding in every format gives the decoded values', async () => {
  for (const { name, format, shape, stored, values } of await storedWeights()) {
    const op: Op = (ids, table) => [embedding(ids!, weightOn(table!, format, shape))];
    const ids = everyId(shape[0]);
    const [rows] = await runOn('webgpu', op, [ids, stored]);
    const expected = [...ids.data].flatMap((id) => [...values.subarray(id * shape[1], (id + 1) * shape[1])]);
    // Equal except for a multiply and an add that a GPU may fuse.
    expectClose(rows!, expected, { rtol: 3e-7 }, name);
  }
});

test('float16 is read exactly, subnormal numbers included', async () => {
  const halves = Uint16Array.from({ length: 63488 }, (_, i) => (i < 31744 ? i : i + 1024)); // all but infinities and NaNs
  for (const [rows, columns] of [
    [16, 3968],
    [2048, 31],
  ] as const) {
    const op: Op = (ids, table) => [embedding(ids!, weightOn(table!, 'f16', [rows, columns]))];
    const ids = intValues(
      Array.from({ length: rows }, (_, i) => i),
      [rows],
    );
    const words = new Int32Array(halves.buffer.slice(0));
    const [values] = await runOn('webgpu', op, [ids, { data: words, shape: [words.length] }]);
    expect(values).toEqual(f16ToF32(halves));
  }
});

// Rows of x: one as in generation, truncated tiles, and full ones; a CPU and a GPU get different tiles.
test.each([
  { software: true, rows: [1, 17] },
  { software: false, rows: [3] },
])('products match the reference in every format: %o', ({ software, rows }) =>
  withTraits({ software }, async () => {
    for (const weight of await storedWeights()) {
      for (const m of rows) await sameProducts(weight, m);
    }
  }),
);

async function sameProducts({ name, format, shape, stored, values }: StoredWeight & { name: string }, m: number) {
  const [n, k] = shape;
  const product =
    (f: WeightFormat): Op =>
    (x, w) => [linear({ weight: weightOn(w!, f, shape), bias: null }, x!)];
  const x = randomValues([m, k], 1);
  const dense = { data: values, shape };
  const probe = [randomValues([m, n], 2)];
  const [y] = await runOn('webgpu', product(format), [x, stored]);
  const [expected] = await runOn('cpu', product('f32'), [x, dense]);
  expectClose(y!, expected!, { rtol: 1e-5 }, `${name}, ${m} rows`);
  const [dx] = await gradientsOn('webgpu', product(format), [x, stored], [0], probe);
  const [expectedDx] = await gradientsOn('cpu', product('f32'), [x, dense], [0], probe);
  expectClose(dx!, expectedDx!, { rtol: 1e-5 }, `${name}, ${m} rows: gradient`);
}

test('LoRA and cross-entropy over quantised weights match the reference', async () => {
  const some = ['q4_0', 'q6_k', 'nf4 rows', 'nf4 odd'];
  const weights = (await storedWeights()).filter(({ name }) => some.includes(name));
  const inFours = weights.filter(({ format }) => format !== 'nf4').map(rowsInFours);
  for (const { format, shape, stored } of [...weights, ...inFours]) {
    const lora = loraCase({
      weight: stored,
      format,
      m: 5,
      n: shape[0],
      k: shape[1],
      rank: 4,
      scale: 2,
      residual: true,
      bias: true,
    });
    await expectSameOnGpu(lora.op, lora.inputs, { wanted: lora.wanted, rtol: 1e-5 });
    const loss = crossEntropyCase({
      weight: stored,
      format,
      tokens: 7,
      width: shape[1],
      vocab: shape[0],
      padding: 2,
      skipEvery: 3,
      size: 0.1,
    });
    await expectSameOnGpu(loss.op, loss.inputs, { wanted: [0], rtol: 2e-5 });
  }
});
