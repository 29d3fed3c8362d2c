import { expect, test } from 'vitest';
import { RATE_RANGE, suggestRate } from '../../../src/metrics/rate-range';

const points = (losses: number[]) => losses.map((smoothed, i) => ({ rate: 10 ** (i - 6), smoothed }));

test('a tenth of the rate at the lowest loss is suggested, and where it falls fastest is known', () => {
  const found = suggestRate(points([3, 2.9, 2.2, 1.9, 1.8, 6]))!;
  expect(found.lowest).toBeCloseTo(1e-2);
  expect(found.rate).toBeCloseTo(1e-3);
  // From 2.9 to 2.2.
  expect(found.steepest).toBeCloseTo(1e-4);
});

test('a loss that never fell suggests nothing', () => {
  expect(suggestRate(points([3, 3, 2.99, 5]))).toBeNull();
  expect(suggestRate(points([3, 4, 5]))).toBeNull();
  expect(suggestRate(points([3]))).toBeNull();
  expect(suggestRate([])).toBeNull();
});

test('the range holds the usual rates of every method, with a decade to spare', () => {
  // 1e-5 (full fine-tuning) to 3e-2 (prompt tuning), in src/methods.
  expect(RATE_RANGE.from).toBeLessThanOrEqual(1e-6);
  expect(RATE_RANGE.to).toBeGreaterThanOrEqual(0.3);
});
