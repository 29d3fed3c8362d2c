import { expect, test } from 'vitest';
import { embedding } from '../../../src/engine/kernels/moves/embedding';
import type { WeightFormat } from '../../../src/engine/types';
import type { Op, Values } from '../../kernel-helpers';
import { checkGradient, expectSameOnGpu, gradientsOn, intValues, randomValues, runOn } from '../../kernel-helpers';

const op =
  (shape: number[], format: WeightFormat = 'f32'): Op =>
  (ids, table) => [embedding(ids!, { parts: [{ tensor: table!, rows: shape[0]! }], format, shape })];

/** Upper halves of float32, two per word. */
function packed({ data }: Values): Values {
  const bits = new Uint32Array(Float32Array.from(data).buffer);
  const words = new Int32Array(Math.ceil(bits.length / 2));
  bits.forEach((b, i) => {
    words[i >> 1]! |= i & 1 ? b & 0xffff0000 : b >>> 16;
  });
  return { data: words, shape: [words.length] };
}

/** Repeats some ids and omits others. */
const someIds = (n: number, vocab: number) =>
  intValues(
    Array.from({ length: n }, (_, i) => (i * i * 3 + (i >> 2)) % vocab),
    [n],
  );

test.each([
  [1, 1, 1],
  [5, 7, 3],
  [70, 11, 12],
  [33, 257, 64],
])('embedding: %i ids of a [%i, %i] table match the reference', async (n, vocab, d) => {
  const table = randomValues([vocab, d], 1);
  await expectSameOnGpu(op([vocab, d]), [someIds(n, vocab), table], { wanted: [1], rtol: 1e-6 });
  await expectSameOnGpu(op([vocab, d], 'bf16'), [someIds(n, vocab), packed(table)], { rtol: 0 });
});

test('embedding: gradients match finite differences with repeated ids', () =>
  checkGradient(op([5, 4]), [intValues([3, 0, 3, 3, 1, 0], [6]), randomValues([5, 4], 2)], [1], { backend: 'webgpu' }));

test('embedding: ids outside the table are clamped to its edges', async () => {
  const table = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] };
  const [y] = await runOn('webgpu', op([3, 2]), [intValues([-5, 3, 2_000_000_000, 1], [4]), table]);
  expect([...y!]).toEqual([1, 2, 5, 6, 5, 6, 3, 4]);
});

test('embedding: ids that are all equal or all different match the reference', async () => {
  const table = randomValues([9, 8], 3);
  for (const ids of [new Array(9).fill(4), [8, 7, 6, 5, 4, 3, 2, 1, 0]]) {
    await expectSameOnGpu(op([9, 8]), [intValues(ids, [9]), table], { wanted: [1], rtol: 1e-6 });
  }
});

test('embedding: rows without an id get zeros even in a recycled buffer', async () => {
  const given = [intValues([1], [1]), randomValues([6, 8], 3)];
  const probe = [randomValues([1, 8], 4)];
  for (let i = 0; i < 3; i++) {
    const [d] = await gradientsOn('webgpu', op([6, 8]), given, [1], probe);
    expect(d!.every((v, at) => (at >= 8 && at < 16 ? v !== 0 : v === 0))).toBe(true);
  }
});
