import type * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { philox4x32, Stream } from '../../../src/base/random';
import { addNoise, type NoiseAttrs } from '../../../src/engine/kernels/pointwise/noise';
import { neftune } from '../../../src/engine/run/neftune';
import { gradientsOn, type Op, randomValues, runOn, type Values } from '../../kernel-helpers';

const op =
  (attrs: Partial<NoiseAttrs> = {}): Op =>
  (x) => [addNoise(x!, { magnitude: 0.5, seed: 1, step: 2, ...attrs })];
const zeros = (n: number): Values => ({ data: new Float32Array(n), shape: [n] });
const run = async (attrs: Partial<NoiseAttrs>, n = 64) => (await runOn('cpu', op(attrs), [zeros(n)]))[0]!;

test('noise: uniform between −magnitude and magnitude, from Philox words', async () => {
  const words = [0, 1].flatMap((block) => philox4x32([block, 2, 0, Stream.noise], [1, 0]));
  expect([...(await run({}, 7))]).toEqual(
    words.slice(0, 7).map((w) => Math.fround(0.5 * ((2 * (w >>> 8)) / 2 ** 24 - 1))),
  );
  const n = 40_000;
  const noise = await run({}, n);
  expect(noise.every((v) => v >= -0.5 && v < 0.5)).toBe(true);
  expect(Math.min(...noise.subarray(0, 4000))).toBeLessThan(-0.499);
  expect(Math.max(...noise.subarray(0, 4000))).toBeGreaterThan(0.499);
  // U(−a, a) has mean 0 and variance a²/3.
  const mean = noise.reduce((s, v) => s + v, 0) / n;
  const variance = noise.reduce((s, v) => s + v * v, 0) / n;
  expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(0.25 / 3 / n));
  expect(Math.abs(variance / (0.25 / 3) - 1)).toBeLessThan(0.03);
});

test('noise: seed and step each change it; the gradient passes through', async () => {
  const first = await run({});
  expect(await run({})).toEqual(first);
  for (const other of [{ seed: 9 }, { step: 9 }]) expect(await run(other)).not.toEqual(first);
  const probe = randomValues([5, 3], 4);
  const [dx] = await gradientsOn('cpu', op(), [randomValues([5, 3], 1)], [0], [probe]);
  expect(dx).toEqual(probe.data);
});

test('NEFTune: α/√(L·d) of the padded batch, as in neftune_post_forward_hook; nothing for α = 0', async () => {
  expect(neftune(0, { seed: 1, pass: 0 })).toBeUndefined();
  const [batch, length, width] = [2, 6, 8];
  const x = randomValues([batch * length, width], 3);
  const [y] = await runOn('cpu', (t) => [neftune(5, { seed: 11, pass: 4 })!(t as tf.Tensor, { batch, length })], [x]);
  // dims = L·d; mag_norm = alpha / sqrt(dims); output + uniform_(-mag_norm, mag_norm)
  const magnitude = 5 / Math.sqrt(length * width);
  y!.forEach((value, i) => {
    const word = philox4x32([Math.floor(i / 4), 4, 0, Stream.noise], [11, 0])[i % 4]!;
    expect(value).toBeCloseTo(x.data[i]! + magnitude * ((2 * (word >>> 8)) / 2 ** 24 - 1), 6);
  });
});
