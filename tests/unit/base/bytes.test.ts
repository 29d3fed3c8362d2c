import { expect, test } from 'vitest';
import { formatBytes } from '../../../src/base/bytes';

test('a size has at most three digits and a unit, in powers of 1000 or 1024', () => {
  expect([0, 999, 1000, 3_939_696, 269_060_552, 2.1e9].map((size) => formatBytes(size))).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '3.9 MB',
    '269 MB',
    '2.1 GB',
  ]);
  // 999.6 kB would be rounded to 1000 kB.
  expect(formatBytes(999_600)).toBe('1.0 MB');
  expect(formatBytes(2 ** 20, 'binary')).toBe('1.0 MiB');
});
