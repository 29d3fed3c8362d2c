import { expect, test } from 'vitest';
import { philox4x32, Stream } from '../../../src/base/random';
import { type DropoutAttrs, dropout } from '../../../src/engine/kernels/pointwise/dropout';
import { checkGradient, gradientsOn, type Op, randomValues, runOn, type Values } from '../../kernel-helpers';

const op =
  (attrs: Partial<DropoutAttrs> = {}): Op =>
  (x) => [dropout(x!, { p: 0.25, seed: 1, step: 2, tag: 3, ...attrs })];
const ones = (n: number): Values => ({ data: new Float32Array(n).fill(1), shape: [n] });
const run = async (attrs: Partial<DropoutAttrs>, n = 64) => (await runOn('cpu', op(attrs), [ones(n)]))[0]!;

test('dropout: an element is kept if its Philox word reaches p, and is scaled by 1/(1 − p)', async () => {
  const y = await run({}, 8);
  const words = [0, 1].flatMap((block) => philox4x32([block, 2, 3, Stream.dropout], [1, 0]));
  expect([...y]).toEqual(words.map((w) => ((w >>> 8) / 2 ** 24 >= 0.25 ? Math.fround(4 / 3) : 0)));
});

test('dropout: the fraction of zeros is p, and the mean is kept', async () => {
  for (const p of [0.05, 0.5, 0.9]) {
    const n = 40_000;
    const y = await run({ p }, n);
    const zeros = y.filter((v) => v === 0).length / n;
    expect(Math.abs(zeros - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n));
    expect(y.find((v) => v !== 0)).toBeCloseTo(1 / (1 - p), 4);
  }
});

test('dropout: seed, step and tag each change the mask; the same ones repeat it', async () => {
  const first = await run({});
  expect(await run({})).toEqual(first);
  for (const other of [{ seed: 9 }, { step: 9 }, { tag: 9 }]) expect(await run(other)).not.toEqual(first);
});

test('dropout: p = 0 keeps everything, and p = 1 is rejected', async () => {
  expect(await run({ p: 0 }, 5)).toEqual(new Float32Array(5).fill(1));
  await expect(run({ p: 1 })).rejects.toThrow('below 1');
  await expect(run({ p: Number.NaN })).rejects.toThrow('below 1');
});

test('dropout: gradients match finite differences, with the same mask', async () => {
  await checkGradient(op(), [randomValues([3, 7], 1)], [0]);
  const [dx] = await gradientsOn('cpu', op(), [ones(33)], [0], [ones(33)]);
  expect(dx).toEqual(await run({}, 33));
});
