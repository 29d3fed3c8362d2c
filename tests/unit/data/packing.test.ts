/** Packed rows compared with TRL's (tests/oracle/make_task_fixtures.py), and the isolation of texts within a row. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { IGNORE_INDEX } from '../../../src/base/ignore-index';
import { countTargets } from '../../../src/data/batches';
import { bestFit, packExamples, piecesOf, wrapExamples } from '../../../src/data/packing';
import type { NextTokenExample } from '../../../src/data/types';

const url = new URL('../../fixtures/tasks/packing.json', import.meta.url);
const { cases }: { cases: { max_length: number; lengths: number[]; rows: number[][] }[] } = JSON.parse(
  readFileSync(url, 'utf8'),
);

const example = (row: number, length: number): NextTokenExample => {
  const ids = Int32Array.from({ length }, (_, i) => row * 1000 + i);
  return { kind: 'next_token', row, ids, labels: ids.slice(), starts: null, truncatedBy: 0 };
};

describe('best fit', () => {
  test.each(cases.map((c) => [c.max_length, c.lengths.length, c] as const))(
    'packs rows of %i from %i examples like TRL',
    (_m, _n, { max_length, lengths, rows }) => {
      expect(bestFit(lengths, max_length)).toEqual(rows);
    },
  );

  test('packs a hundred thousand examples', () => {
    const lengths = Int32Array.from({ length: 100_000 }, (_, i) => 1 + ((i * 7919) % 1024));
    const rows = bestFit(lengths, 1024);
    expect(rows.flat().length).toBe(100_000);
    const sums = rows.map((row) => row.reduce((sum, i) => sum + lengths[i]!, 0));
    expect(Math.max(...sums)).toBeLessThanOrEqual(1024);
    expect(rows.length).toBeLessThan((sums.reduce((a, b) => a + b, 0) / 1024) * 1.02);
  });
});

test('packed examples keep their tokens, and the first token of each is not a target', () => {
  const rows = packExamples([example(1, 3), example(2, 4), example(3, 1)], 5);
  expect(rows.map((r) => [...r.ids])).toEqual([
    [2000, 2001, 2002, 2003, 3000],
    [1000, 1001, 1002],
  ]);
  expect(rows.map((r) => [...r.starts!])).toEqual([
    [0, 0, 0, 0, 4],
    [0, 0, 0],
  ]);
  expect([...rows[0]!.labels]).toEqual([IGNORE_INDEX, 2001, 2002, 2003, IGNORE_INDEX]);
  expect(rows.map((r) => r.row)).toEqual([2, 1]);
});

test('texts joined end to end fill their rows, and a text continued in the next row starts anew there', () => {
  const rows = wrapExamples([example(1, 3), example(2, 6), example(3, 2)], 4);
  expect(rows.map((r) => [...r.ids])).toEqual([
    [1000, 1001, 1002, 2000],
    [2001, 2002, 2003, 2004],
    [2005, 3000, 3001],
  ]);
  expect(rows.map((r) => [...r.starts!])).toEqual([
    [0, 0, 0, 3],
    [0, 0, 0, 0],
    [0, 1, 1],
  ]);
  expect(rows.map((r) => [...r.labels])).toEqual([
    [IGNORE_INDEX, 1001, 1002, IGNORE_INDEX],
    [IGNORE_INDEX, 2002, 2003, 2004],
    [IGNORE_INDEX, IGNORE_INDEX, 3001],
  ]);
  expect(rows.map((r) => countTargets(r.labels))).toEqual([2, 3, 1]);
});

test('a last row without targets is dropped', () => {
  expect(wrapExamples([example(1, 5)], 4).map((r) => r.ids.length)).toEqual([4]);
  expect(piecesOf(example(1, 9), 4).map((r) => r.ids.length)).toEqual([4, 4]);
  expect(piecesOf(example(1, 4), 4)).toHaveLength(1);
});
