import { expect, test } from 'vitest';
import type { SamplingOptions } from '../../../src/engine/generation/options';
import { argmax, sampleToken } from '../../../src/engine/generation/sampler';

const logits = (...p: number[]) => Float32Array.from(p, (x) => Math.log(x));
const options = (o: Partial<SamplingOptions> = {}): SamplingOptions => ({ temperature: 1, topP: 1, seed: 5, ...o });

/** The fraction of `n` draws that each token gets, at successive positions. */
function shares(values: Float32Array, o: SamplingOptions, n = 20_000): number[] {
  const counts = new Array<number>(values.length).fill(0);
  for (let position = 0; position < n; position++) counts[sampleToken(values, position, o)]!++;
  return counts.map((c) => c / n);
}

/** Five standard errors of a fraction p of 20,000 draws. */
const near = (actual: number[], expected: number[]) =>
  actual.forEach((share, i) => {
    const p = expected[i]!;
    expect(Math.abs(share - p), `token ${i}: ${share}, expected ${p}`).toBeLessThanOrEqual(
      5 * Math.sqrt((p * (1 - p)) / 20_000),
    );
  });

test('temperature 0 takes the largest logit, the first among equals', () => {
  const values = Float32Array.of(1, 3, 2, 3);
  expect(argmax(values)).toBe(1);
  for (let position = 0; position < 20; position++) {
    expect(sampleToken(values, position, options({ temperature: 0 }))).toBe(1);
  }
  expect(argmax(Float32Array.of(-5))).toBe(0);
});

test('draws follow the softmax, whatever the order of the tokens', () => {
  near(shares(logits(0.1, 0.4, 0.2, 0.3), options()), [0.1, 0.4, 0.2, 0.3]);
});

test('temperature sharpens and flattens: p^(1/T), normalised', () => {
  const p = [0.1, 0.6, 0.3];
  for (const temperature of [0.5, 2]) {
    const weights = p.map((x) => x ** (1 / temperature));
    const total = weights.reduce((a, b) => a + b, 0);
    near(
      shares(logits(...p), options({ temperature })),
      weights.map((w) => w / total),
    );
  }
});

test('top-p keeps the smallest set that reaches it, normalised', () => {
  // 0.5 + 0.25 reach 0.7; 0.5 alone reaches 0.5; a set is never empty.
  near(shares(logits(0.15, 0.25, 0.5, 0.1), options({ topP: 0.7 })), [0, 1 / 3, 2 / 3, 0]);
  near(shares(logits(0.15, 0.25, 0.5, 0.1), options({ topP: 0.49 })), [0, 0, 1, 0]);
  near(shares(logits(0.15, 0.25, 0.5, 0.1), options({ topP: 1e-9 })), [0, 0, 1, 0]);
});

test('top-p applies after temperature', () => {
  // At T = 1/2 the weights are the squares 0.25 and 0.0625 of a total of 0.345, so the first alone reaches 0.72.
  near(shares(logits(0.5, 0.25, 0.15, 0.1), options({ temperature: 0.5, topP: 0.72 })), [1, 0, 0, 0]);
});

test('the same seed and position give the same token, and another seed gives other tokens', () => {
  const values = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i));
  const draw = (seed: number) => Array.from({ length: 40 }, (_, i) => sampleToken(values, i, options({ seed })));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  expect(new Set(draw(1)).size).toBeGreaterThan(5);
});

test('logits far apart neither overflow nor give impossible tokens', () => {
  const values = Float32Array.of(-1e4, 1e4, Number.NEGATIVE_INFINITY, 9990);
  near(shares(values, options(), 2000), [0, 1, 0, 0]);
  expect(sampleToken(values, 0, options({ temperature: 1e-3 }))).toBe(1);
});
