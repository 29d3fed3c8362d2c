import { expect, test } from 'vitest';
import { IGNORE_INDEX } from '../../../src/base/ignore-index';
import { batchShapes, createBatchSource, sizeOf } from '../../../src/data/batches';
import { finish } from '../../../src/data/near-duplicates';
import { judgedBatch, pairBatch } from '../../../src/data/preference-batches';
import type { JudgedExample, PairExample, TokenizedExample } from '../../../src/data/types';

const ids = (length: number, from = 1) => Int32Array.from({ length }, (_, i) => from + i);

const pair = (row: number, prompt: number, chosen: number, rejected: number): PairExample => ({
  kind: 'pair',
  row,
  ids: ids(prompt + chosen),
  rejected: ids(prompt + rejected),
  promptLength: prompt,
  margin: row / 2,
  truncatedBy: 0,
});

const judged = (row: number, prompt: number, answer: number, limit = 64): JudgedExample => {
  const whole = ids(prompt + answer, 100 * row);
  const beyond = whole.slice(limit, prompt + limit);
  return {
    kind: 'judged',
    row,
    ids: whole.slice(0, limit),
    promptLength: prompt,
    good: row % 2 === 0,
    limit,
    ...(beyond.length > 0 && { beyond }),
    truncatedBy: Math.max(0, whole.length - limit),
  };
};

test('the better answers come first, then the others, each with its own labels', () => {
  const batch = pairBatch([pair(3, 2, 1, 3), pair(8, 1, 2, 1)], 99, 4);
  expect(batch).toMatchObject({ batchSize: 4, length: 8, pairs: 2, targetCount: 2 });
  expect([...batch.lengths]).toEqual([3, 3, 5, 2]);
  expect([...batch.rows]).toEqual([3, 8]);
  expect([...batch.margins]).toEqual([1.5, 4]);
  const rows = Array.from({ length: 4 }, (_, r) => [...batch.ids.subarray(r * 8, r * 8 + 8)]);
  expect(rows).toEqual([
    [1, 2, 3, 99, 99, 99, 99, 99],
    [1, 2, 3, 99, 99, 99, 99, 99],
    [1, 2, 3, 4, 5, 99, 99, 99],
    [1, 2, 99, 99, 99, 99, 99, 99],
  ]);
  const learned = Array.from({ length: 4 }, (_, r) =>
    [...batch.labels.subarray(r * 8, r * 8 + 8)].filter((label) => label !== IGNORE_INDEX),
  );
  expect(learned).toEqual([[3], [2, 3], [3, 4, 5], [2]]);
});

test('an answer may begin sooner behind one prompt than behind the other', () => {
  const batch = pairBatch([{ ...pair(1, 3, 1, 1), rejectedPromptLength: 2 }], 0, 4);
  expect([...batch.labels.subarray(0, 4)]).toEqual([IGNORE_INDEX, IGNORE_INDEX, IGNORE_INDEX, 4]);
  expect([...batch.labels.subarray(4)]).toEqual([IGNORE_INDEX, IGNORE_INDEX, 3, 4]);
});

test('mismatched answers are cut off at the limit, and have what fits behind a shorter prompt', () => {
  // 2 + 3 tokens fit; 4 + 5 do not, and leave out 3 of the answer.
  const batch = judgedBatch([judged(1, 2, 3, 6), judged(2, 4, 5, 6)], 0, 1);
  const row = (r: number) => [...batch.ids.subarray(r * batch.length, r * batch.length + batch.lengths[r]!)];
  expect([0, 1, 2, 3].map(row)).toEqual([
    [100, 101, 102, 103, 104],
    [200, 201, 202, 203, 204, 205],
    // The second one's answer, 204 to 208, as far as it fits.
    [100, 101, 204, 205, 206, 207],
    [200, 201, 202, 203, 102, 103],
  ]);
});

test('a single answer is its own mismatched one', () => {
  const batch = judgedBatch([judged(1, 2, 3)], 0, 1);
  expect([...batch.ids.subarray(0, 5)]).toEqual([...batch.ids.subarray(5)]);
});

test.each<[string, (row: number) => TokenizedExample]>([
  ['pairs', (row) => pair(row, 5 + ((row * 7) % 40), 3 + ((row * 11) % 30), 3 + ((row * 5) % 20))],
  ['judged answers', (row) => judged(row, 5 + ((row * 7) % 40), 3 + ((row * 11) % 30))],
])('the shapes of %s are those of their batches', (_, make) => {
  const train = Array.from({ length: 40 }, (_, i) => make(i + 1));
  const validation = Array.from({ length: 7 }, (_, i) => make(i + 60));
  const options = { batchSize: 3, accumulation: 2, shuffle: true, seed: 5 };
  const shapes = finish(batchShapes(train.map(sizeOf), validation.map(sizeOf), { ...options, steps: 14 }));
  const source = createBatchSource(train, validation, { ...options, padTokenId: 0 });
  const sizesOf = (batches: { batchSize: number; length: number }[]) =>
    [...new Set(batches.map(({ batchSize, length }) => `${batchSize}x${length}`))].sort();
  const found = (list: typeof shapes.training) =>
    [...new Set(list.map(({ rows, length }) => `${2 * rows}x${length}`))].sort();
  const real = Array.from({ length: 14 }, (_, step) => source.microBatches(step)).flat();
  expect(found(shapes.training)).toEqual(sizesOf(real));
  expect(found(shapes.evaluation)).toEqual(sizesOf(source.evaluation()));
  expect(sizesOf(real).length).toBeGreaterThan(2);
  // Of the widest shape, at least as many targets as any of its batches has.
  const labels = real.map((batch) => {
    const { length, batchSize } = batch;
    const own = batch.kind === 'pair' || batch.kind === 'judged' ? batch.labels : new Int32Array();
    return { length, batchSize, count: own.filter((label) => label !== IGNORE_INDEX).length };
  });
  const { rows, length, targets } = shapes.training[0]!;
  const widest = labels.filter((batch) => batch.length === length && batch.batchSize === 2 * rows);
  expect(targets).toBeGreaterThanOrEqual(Math.max(...widest.map(({ count }) => count)));
});
