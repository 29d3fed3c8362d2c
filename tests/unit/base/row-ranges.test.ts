import { expect, test } from 'vitest';
import { inRanges, ROW_RANGES, rangesOf, renumbered } from '../../../src/base/row-ranges';

test('rows are written as ranges, and read back as the same rows', () => {
  expect(rangesOf([9, 3, 8, 7, 120, 7])).toBe('3,7-9,120');
  expect(rangesOf([])).toBe('');
  const listed = inRanges('3,7-9,120');
  expect(Array.from({ length: 130 }, (_, i) => i).filter(listed)).toEqual([3, 7, 8, 9, 120]);
});

test('ranges may overlap, lie in each other and come in any order', () => {
  const listed = inRanges('50,5-20,7-8,18-22');
  expect([4, 5, 8, 12, 20, 22, 23, 49, 50].filter(listed)).toEqual([5, 8, 12, 20, 22, 50]);
});

test('what is no list lists nothing', () => {
  for (const text of ['', 'a', '3,', '3--4', '-3', '3 , 4', '1'.repeat(10)]) {
    expect(ROW_RANGES.test(text), text).toBe(false);
    expect(inRanges(text)(3)).toBe(false);
  }
});

test('rows have other numbers once rows before them are gone', () => {
  expect(renumbered('3,7-9,120', [1, 8, 8])).toBe('2,6-7,118');
  expect(renumbered('3,7-9', [3, 7, 8, 9])).toBeNull();
  expect(renumbered('2-5', [7])).toBe('2-5');
  expect(renumbered('1-999999999', [5, 6])).toBe('1-999999997');
  expect(renumbered('all', [5])).toBe('all');
});
