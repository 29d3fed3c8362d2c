/** Batches for every objective, and base text replayed among the examples. */

import { describe, expect, test } from 'vitest';
import { IGNORE_INDEX } from '../../../src/base/ignore-index';
import { type BatchOptions, batchShapes, createBatchSource, targetsOf } from '../../../src/data/batches';
import { finish } from '../../../src/data/near-duplicates';
import { schedule } from '../../../src/data/schedule';
import type { TokenizedExample } from '../../../src/data/types';
import { errorOf } from './helpers';

const OPTIONS: BatchOptions = { batchSize: 2, accumulation: 1, shuffle: false, seed: 7, padTokenId: 9, bucket: 4 };
const X = IGNORE_INDEX;
const sequence = (row: number, ids: number[]) => ({ row, ids: Int32Array.from(ids), truncatedBy: 0 });
const example = (row: number, ids: number[], starts: Int32Array | null = null): TokenizedExample => ({
  kind: 'next_token',
  ...sequence(row, ids),
  labels: Int32Array.from(ids),
  starts,
});
const tagged = (row: number, ids: number[], labels: number[]): TokenizedExample => ({
  kind: 'token_labels',
  ...sequence(row, ids),
  labels: Int32Array.from(labels),
});
const sorted = (row: number, ids: number[], targets: number[]): TokenizedExample => ({
  kind: 'text_targets',
  ...sequence(row, ids),
  targets: Float32Array.from(targets),
});
const masked = (row: number, ids: number[], special: number[]): TokenizedExample => ({
  kind: 'hidden_tokens',
  ...sequence(row, ids),
  special: Uint8Array.from(special),
});
const first = (train: TokenizedExample[]) => createBatchSource(train, [], OPTIONS).microBatches(0)[0]!;

describe('a batch', () => {
  test('concatenates classes and counts rows', () => {
    const batch = first([1, 2].map((row) => sorted(row, [2, 5, 3], [row, 0])));
    expect(batch).toMatchObject({ kind: 'text_targets', width: 2, targetCount: 2 });
    expect(batch).toHaveProperty('targets', Float32Array.of(1, 0, 2, 0));
  });

  test('does not shift labels of words', () => {
    const batch = first([tagged(1, [5, 6, 7], [1, X, 0])]);
    expect(batch).toMatchObject({ kind: 'token_labels', targetCount: 2 });
    expect(batch).toHaveProperty('labels', Int32Array.of(1, X, 0, X));
  });

  test('says where texts start, and treats each padding token as a separate text', () => {
    const packed = example(1, [5, 6, 7, 8, 9], Int32Array.of(0, 0, 2, 2, 2));
    const batch = first([packed, example(2, [5, 6])]);
    expect(batch).toHaveProperty('starts', Int32Array.of(0, 0, 2, 2, 2, 5, 6, 7, 0, 0, 2, 3, 4, 5, 6, 7));
    expect(first([example(2, [5, 6])])).toHaveProperty('starts', null);
  });

  test('marks special tokens and padding', () => {
    const batch = first([masked(1, [2, 5, 6, 3], [1, 0, 0, 1]), masked(2, [2, 3], [1, 1])]);
    expect(batch).toHaveProperty('special', Uint8Array.of(1, 0, 0, 1, 1, 1, 1, 1));
    // The tokens that may be masked: how many are is drawn by the objective.
    expect(batch).toMatchObject({ kind: 'hidden_tokens', targetCount: 2 });
  });

  test('cannot mix rows with and without a class', () => {
    const error = errorOf(() => first([example(1, [5]), sorted(2, [5], [1])]));
    expect(error.message).toContain('next_token and text_targets');
    expect(error.action).toContain('replay');
  });

  test('counts the targets of one text', () => {
    const labels = Int32Array.of(5, X, 7);
    const counts = [
      { ...example(1, [5, 6, 7]), labels },
      tagged(1, [5, 6, 7], [...labels]),
      sorted(1, [5, 6, 7], [0, 1]),
      masked(1, [5, 6, 7], [0, 1, 0]),
    ].map(targetsOf);
    expect(counts).toEqual([1, 2, 1, 2]);
  });
});

describe('replay', () => {
  const train = Array.from({ length: 23 }, (_, i) => example(i, [i, i, i]));
  const base = Array.from({ length: 5 }, (_, i) => example(1000 + i, Array(6 + i).fill(1000 + i)));
  const source = (ratio: number, changes: Partial<BatchOptions> = {}) =>
    createBatchSource(train, [], {
      ...OPTIONS,
      batchSize: 4,
      accumulation: 2,
      shuffle: true,
      replay: { examples: base, ratio },
      ...changes,
    });
  const rowsOf = (step: number, from = source(0.3)) =>
    from
      .microBatches(step)
      .map(({ ids, batchSize, length }) => Array.from({ length: batchSize }, (_, r) => ids[r * length]!));
  const steps = (n: number, from: ReturnType<typeof source>) => Array.from({ length: n }, (_, s) => rowsOf(s, from));

  test.each([0.05, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1])(
    'a ratio of %d is exact to within one row at every step',
    (ratio) => {
      const from = source(ratio);
      let rows = 0;
      let replayed = 0;
      for (let step = 0; step < 120; step++) {
        const seen = rowsOf(step, from).flat();
        rows += seen.length;
        replayed += seen.filter((id) => id >= 1000).length;
        expect(Math.abs(replayed - rows * ratio)).toBeLessThanOrEqual(1);
      }
      // 23 rows are 6 batches, two per step: three steps per epoch.
      expect(rows).toBe(40 * 23);
    },
  );

  test('depends only on the step, so a resumed run sees the same rows', () => {
    const forward = steps(12, source(0.3));
    const again = source(0.3);
    for (const step of [11, 3, 7, 0, 5]) expect(rowsOf(step, again)).toEqual(forward[step]);
    expect(steps(12, source(0.3, { seed: 8 }))).not.toEqual(forward);
  });

  test('leaves the rows that it does not replace unchanged', () => {
    const without = steps(9, source(0));
    steps(9, source(0.4)).forEach((batches, s) => {
      batches.forEach((rows, b) => {
        rows.forEach((id, r) => {
          if (id < 1000) expect(id).toBe(without[s]![b]![r]);
        });
      });
    });
  });

  test('uses all pieces equally often, in varying positions', () => {
    const places = new Set<number>();
    const counts = new Map<number, number>();
    for (const rows of steps(60, source(0.25)).flat()) {
      rows.forEach((id, place) => {
        if (id < 1000) return;
        counts.set(id, (counts.get(id) ?? 0) + 1);
        places.add(place);
      });
    }
    const times = [...counts.values()];
    expect(counts.size).toBe(5);
    expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(1);
    expect(places.size).toBe(4);
  });

  test('changes nothing without base text or with a ratio of 0', () => {
    const plain = createBatchSource(train, [], { ...OPTIONS, batchSize: 4, accumulation: 2, shuffle: true });
    const bare = steps(6, plain);
    expect(steps(6, source(0))).toEqual(bare);
    expect(steps(6, source(0.5, { replay: { examples: [], ratio: 0.5 } }))).toEqual(bare);
  });

  test('counts the targets of the actual rows', () => {
    for (const batch of source(0.5).microBatches(0)) {
      const lengths = [...batch.lengths];
      expect(batch.targetCount).toBe(lengths.reduce((sum, n) => sum + n - 1, 0));
    }
  });

  test('is not used in evaluation', () => {
    const held = createBatchSource(train, train, { ...OPTIONS, replay: { examples: base, ratio: 1 } }).evaluation();
    expect(held.flatMap(({ ids }) => [...ids]).some((id) => id >= 1000)).toBe(false);
  });
});

describe('shapes', () => {
  const lengths = Array.from({ length: 30 }, (_, i) => 20 + ((i * 53) % 100));
  const baseLengths = Array.from({ length: 7 }, (_, i) => 40 + 20 * i);
  const make = {
    next_token: example,
    token_labels: (row: number, ids: number[]) => tagged(row, ids, ids),
    text_targets: (row: number, ids: number[]) => sorted(row, ids, [1]),
    hidden_tokens: (row: number, ids: number[]) => masked(row, ids, Array(ids.length).fill(0)),
  };

  test.each([
    ['next_token', 0.25],
    ['text_targets', 0],
    ['token_labels', 0],
    ['hidden_tokens', 0.6],
  ] as const)('of %s, with a share of %d replayed, are those of the batches', (kind, ratio) => {
    const train = lengths.map((length, i) => make[kind](i, Array(length).fill(1)));
    const base = baseLengths.map((length, i) => make[kind](100 + i, Array(length).fill(1)));
    const sizes = (examples: TokenizedExample[]) =>
      examples.map((e) => ({ tokens: e.ids.length, targets: targetsOf(e) }));
    const options = { batchSize: 3, accumulation: 2, shuffle: true, seed: 5 };
    const shapes = finish(
      batchShapes(sizes(train), sizes(train.slice(0, 5)), {
        ...options,
        steps: 15,
        replay: { examples: sizes(base), ratio },
      }),
    );
    const source = createBatchSource(train, train.slice(0, 5), {
      ...options,
      padTokenId: 0,
      replay: { examples: base, ratio },
    });
    const key = (rows: number, length: number, targets: number) =>
      `${rows}x${length} ${Math.ceil((4 * targets) / (rows * length))}`;
    const real = Array.from({ length: 15 }, (_, step) => source.microBatches(step)).flat();
    const keys = (batches: typeof real) => [...new Set(batches.map((b) => key(b.batchSize, b.length, b.targetCount)))];
    const found = (list: typeof shapes.training) => list.map((s) => key(s.rows, s.length, s.targets)).sort();
    expect(found(shapes.training)).toEqual(keys(real).sort());
    expect(found(shapes.evaluation)).toEqual(keys(source.evaluation()).sort());
  });
});

test('schedules hundreds of thousands of rows without a list of all batches', () => {
  const options = { batchSize: 4, accumulation: 2, shuffle: true, seed: 1 };
  const { batchesOf, stepsPerEpoch } = schedule(300_000, options, { count: 50_000, ratio: 0.2 });
  expect(stepsPerEpoch).toBe(37_500);
  expect(batchesOf(37_499).flat()).toHaveLength(8);
  expect(batchesOf(37_499)).toEqual(schedule(300_000, options, { count: 50_000, ratio: 0.2 }).batchesOf(37_499));
});
