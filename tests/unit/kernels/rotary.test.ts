import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { rotary, rotaryTables } from '../../../src/engine/kernels/attention/rotary';
import {
  checkGradient,
  expectClose,
  gradientsOn,
  intValues,
  type Op,
  randomValues,
  runOn,
  type Values,
  withBackend,
} from '../../kernel-helpers';

const op =
  (headDim: number): Op =>
  (q, k, cos, sin, positions) =>
    rotary(q!, k!, { cos: cos!, sin: sin!, positions: positions!, headDim });

const frequencies = (headDim: number) =>
  Float32Array.from({ length: headDim / 2 }, (_, i) => 1 / 100 ** ((2 * i) / headDim));

async function inputs(
  qHeads: number,
  kHeads: number,
  headDim: number,
  positions: number[],
  turning = headDim,
): Promise<Values[]> {
  const tables = await withBackend('cpu', () => {
    const { cos, sin } = rotaryTables(32, frequencies(turning));
    const values = [cos, sin].map((t) => ({ data: Float32Array.from(t.dataSync<'float32'>()), shape: t.shape }));
    cos.dispose();
    sin.dispose();
    return values;
  });
  const n = positions.length;
  return [
    randomValues([n, qHeads * headDim], 1),
    randomValues([n, kHeads * headDim], 2),
    ...tables,
    intValues(positions, [n]),
  ];
}

test('rotary: each pair (i, i + D/2) is rotated as a complex number by position · frequency', async () => {
  const [heads, kHeads, headDim] = [3, 1, 6];
  const positions = [0, 5, 31];
  const given = await inputs(heads, kHeads, headDim, positions);
  const turned = await runOn('cpu', op(headDim), given);
  [heads, kHeads].forEach((count, t) => {
    const expected = Float64Array.from(given[t]!.data, (_, at) => {
      const i = at % headDim;
      const pair = i % (headDim / 2);
      const start = at - i;
      const a = given[t]!.data[start + pair]!;
      const b = given[t]!.data[start + pair + headDim / 2]!;
      const angle = positions[Math.floor(at / (count * headDim))]! * frequencies(headDim)[pair]!;
      return i < headDim / 2 ? a * Math.cos(angle) - b * Math.sin(angle) : a * Math.sin(angle) + b * Math.cos(angle);
    });
    expectClose(turned[t]!, expected, { rtol: 1e-6 });
  });
});

test('rotary: only the first dimensions of a head are rotated, and the others stay unchanged', async () => {
  const positions = [4, 0, 31];
  const given = await inputs(2, 1, 10, positions, 6);
  const turned = await runOn('cpu', op(10), given);
  const first = (values: ArrayLike<number>, heads: number) => ({
    data: Float32Array.from(values).filter((_, i) => i % 10 < 6),
    shape: [3, heads * 6],
  });
  const rest = (values: ArrayLike<number>) => Float32Array.from(values).filter((_, i) => i % 10 >= 6);
  const alone = await runOn('cpu', op(6), [first(given[0]!.data, 2), first(given[1]!.data, 1), ...given.slice(2)]);
  for (const t of [0, 1]) {
    expect(first(turned[t]!, 2 - t).data).toEqual(alone[t]);
    expect(rest(turned[t]!)).toEqual(rest(given[t]!.data));
  }
});

test('rotary: products of rotated vectors depend only on the distance', async () => {
  const headDim = 8;
  const vector = Float32Array.from(randomValues([1, headDim], 3).data);
  const other = randomValues([1, headDim], 4).data;
  const [cos, sin] = (await inputs(1, 1, headDim, [0])).slice(2, 4);
  const product = async (p: number, q: number) => {
    const twice = { data: Float32Array.of(...vector, ...other), shape: [2, headDim] };
    const [turned] = await runOn('cpu', op(headDim), [twice, twice, cos!, sin!, intValues([p, q], [2])]);
    return vector.reduce((s, _, i) => s + turned![i]! * turned![headDim + i]!, 0);
  };
  expect(await product(2, 7)).toBeCloseTo(await product(20, 25), 5);
});

test('rotary: gradients match finite differences', async () => {
  await checkGradient(op(6), await inputs(2, 1, 6, [3, 0, 9]), [0, 1]);
  await checkGradient(op(8), await inputs(2, 1, 8, [3, 0, 9], 4), [0, 1]);
});

test('rotary: the gradient is the inverse rotation', async () => {
  const given = await inputs(2, 1, 4, [7, 30]);
  const [q] = await runOn('cpu', op(4), given);
  const [dq] = await gradientsOn('cpu', op(4), given, [0], [{ data: q!, shape: given[0]!.shape }, null]);
  expectClose(dq!, given[0]!.data, { rtol: 1e-6 });
});

test('rotary: positions beyond the table use its last row', async () => {
  const given = await inputs(1, 1, 4, [31]);
  const [expected] = await runOn('cpu', op(4), given);
  const [actual] = await runOn('cpu', op(4), [...given.slice(0, 4), intValues([99], [1])]);
  expect(actual).toEqual(expected);
});

test('rotary tables round the angle to float32 before its cosine, as transformers does', () =>
  withBackend('cpu', () => {
    const f = Float32Array.of(Math.fround(0.1));
    const { cos, sin } = rotaryTables(12_346, f);
    const angle = Math.fround(12_345 * f[0]!);
    expect(cos.dataSync()[12_345]).toBe(Math.fround(Math.cos(angle)));
    expect(sin.dataSync()[12_345]).toBe(Math.fround(Math.sin(angle)));
    const scaled = rotaryTables(12_346, f, 1.25);
    expect(scaled.cos.dataSync()[12_345]).toBe(Math.fround(1.25 * Math.cos(angle)));
    tf.dispose([cos, sin, scaled]);
  }));

test('rotary names the shapes that do not match', async () => {
  const given = await inputs(1, 1, 4, [1, 2]);
  await expect(runOn('cpu', op(4), [randomValues([2, 6], 1), ...given.slice(1)])).rejects.toThrow('q [2,6]');
});
