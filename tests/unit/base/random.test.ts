import { expect, test } from 'vitest';
import { permutation, philox4x32, Stream, uniform } from '../../../src/base/random';

type Words = [number, number, number, number];

// Random123 1.14, tests/kat_vectors: philox4x32 10
test.each<[Words, [number, number], Words]>([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('Philox4x32-10 of counter %j and key %j', (counter, key, expected) => {
  expect(philox4x32(counter, key)).toEqual(expected);
});

test('a uniform number is the upper 24 bits of the first word of (counter, sub, stream) under the seed', () => {
  const [word] = philox4x32([5, 1, 7, Stream.sampling], [42, 0]);
  expect(uniform(42, Stream.sampling, 5 + 2 ** 32, 7)).toBe((word >>> 8) / 2 ** 24);
});

test('uniform numbers are uniform: mean, variance and deciles of 20,000', () => {
  const n = 20_000;
  const values = Array.from({ length: n }, (_, i) => uniform(1, Stream.init, i));
  expect(values.every((v) => v >= 0 && v < 1)).toBe(true);
  // Five standard errors of mean and variance of U(0, 1), and of a decile's count.
  const mean = values.reduce((a, b) => a + b, 0) / n;
  expect(Math.abs(mean - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / n));
  const deciles = new Array<number>(10).fill(0);
  for (const v of values) deciles[Math.floor(v * 10)]!++;
  for (const count of deciles) expect(Math.abs(count - n / 10)).toBeLessThan(5 * Math.sqrt(n * 0.09));
});

test('seed, stream and sub each change the numbers', () => {
  const draw = (seed: number, stream: 1 | 2, sub: number) =>
    Array.from({ length: 8 }, (_, i) => uniform(seed, stream, i, sub)).join();
  const all = [draw(1, 1, 0), draw(2, 1, 0), draw(1, 2, 0), draw(1, 1, 1)];
  expect(new Set(all).size).toBe(4);
  expect(draw(1, 1, 0)).toBe(all[0]);
});

test('a permutation holds every index once, differs from epoch to epoch, and is the same for the same seed', () => {
  const order = permutation(1000, 7, Stream.shuffle, 3);
  expect([...order].sort((a, b) => a - b)).toEqual([...Array(1000).keys()]);
  expect(permutation(1000, 7, Stream.shuffle, 3)).toEqual(order);
  expect(permutation(1000, 7, Stream.shuffle, 4)).not.toEqual(order);
  expect([...permutation(0, 1, Stream.shuffle)]).toEqual([]);
  expect([...permutation(1, 1, Stream.shuffle)]).toEqual([0]);
});

test('all six orders of three come up equally often', () => {
  const counts = new Map<string, number>();
  const n = 6000;
  for (let epoch = 0; epoch < n; epoch++) {
    const key = permutation(3, 11, Stream.shuffle, epoch).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  // Five standard deviations of a binomial count.
  for (const count of counts.values()) expect(Math.abs(count - n / 6)).toBeLessThan(5 * Math.sqrt(n * (5 / 36)));
});
