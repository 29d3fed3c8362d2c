import { expect, test } from 'vitest';
import {
  cacheVisible,
  causalVisible,
  fullVisible,
  leftPaddedVisible,
  packedVisible,
  slidingWindow,
} from '../../../src/engine/kernels/attention/visible';

/** "[first,end)" of each query, empty ranges as "-". */
const ranges = (visible: Int32Array) =>
  Array.from({ length: visible.length / 2 }, (_, i) => {
    const [first, end] = [visible[i * 2]!, visible[i * 2 + 1]!];
    return first < end ? `${first}-${end}` : '-';
  }).join(' ');

test('causal with right padding', () => {
  expect(ranges(causalVisible([3, 1, 0], 3))).toBe('0-1 0-2 0-3 0-1 - - - - -');
  expect(ranges(causalVisible([9], 2))).toBe('0-1 0-2');
});

test('causal with left padding', () => {
  expect(ranges(leftPaddedVisible([3, 1, 0], 3))).toBe('0-1 0-2 0-3 - - 2-3 - - -');
});

test('both directions', () => {
  expect(ranges(fullVisible([2, 3], 3))).toBe('0-2 0-2 - 0-3 0-3 0-3');
});

test('packed documents see only themselves', () => {
  expect(ranges(packedVisible([[2, 3], [4]], 6))).toBe('0-1 0-2 2-3 2-4 2-5 - 0-1 0-2 0-3 0-4 - -');
  expect(ranges(packedVisible([[2, 3]], 4))).toBe('0-1 0-2 2-3 2-4');
});

test('a window keeps the last keys and leaves empty ranges empty', () => {
  expect(ranges(slidingWindow(causalVisible([4], 5), 2))).toBe('0-1 0-2 1-3 2-4 -');
  expect(ranges(slidingWindow(packedVisible([[2, 3]], 5), 2))).toBe('0-1 0-2 2-3 2-4 3-5');
});

test('after a cache', () => {
  expect(ranges(cacheVisible(0, 2))).toBe('0-1 0-2');
  expect(ranges(cacheVisible(5, 2))).toBe('0-6 0-7');
});
