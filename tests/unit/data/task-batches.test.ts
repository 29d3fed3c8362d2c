/** Batches for every objective, and base text replayed among the examples. */
import { describe, expect, test } from 'vitest';
import {
  type BatchOptions,
  batchShapes,
  countingOf,
  createBatchSource,
  IGNORE,
  targetsOf,
} from '../../../src/data/batches';
import { schedule } from '../../../src/data/schedule';
import type { TokenizedExample } from '../../../src/data/types';
import { errorOf } from './helpers';

const OPTIONS: BatchOptions = { batchSize: 2, accumulation: 1, shuffle: false, seed: 7, padTokenId: 9, bucket: 4 };
const X = IGNORE;
const example = (row: number, ids: number[], more: Partial<TokenizedExample> = {}): TokenizedExample => ({
  row,
  ids: Int32Array.from(ids),
  labels: Int32Array.from(ids),
  truncatedBy: 0,
  ...more,
});
const first = (train: TokenizedExample[], options: Partial<BatchOptions> = {}) =>
  createBatchSource(train, [], { ...OPTIONS, ...options }).microBatches(0)[0]!;

describe('a batch', () => {
  test('concatenates classes and counts rows', () => {
    const labels = Int32Array.of(X, X, X);
    const rows = [1, 2].map((row) => example(row, [2, 5, 3], { labels, classes: Float32Array.of(row, 0) }));
    const batch = first(rows, { countsOf: countingOf('sequence_classification') });
    expect([...batch.classes!]).toEqual([1, 0, 2, 0]);
    expect(batch.targetTokens).toBe(2);
    expect(batch.starts).toBeUndefined();
    expect(batch.special).toBeUndefined();
  });

  test('does not shift labels of words', () => {
    const labelled = example(1, [5, 6, 7], { labels: Int32Array.of(1, X, 0) });
    expect(first([labelled], { countsOf: countingOf('token_classification') }).targetTokens).toBe(2);
    expect(first([labelled]).targetTokens).toBe(1);
  });

  test('says where texts start, and treats each padding token as a separate text', () => {
    const packed = example(1, [5, 6, 7, 8, 9], { starts: Int32Array.of(0, 0, 2, 2, 2) });
    const batch = first([packed, example(2, [5, 6])]);
    expect([...batch.starts!]).toEqual([0, 0, 2, 2, 2, 5, 6, 7, 0, 0, 2, 3, 4, 5, 6, 7]);
  });

  test('marks special tokens and padding', () => {
    const text = example(1, [2, 5, 6, 3], { labels: Int32Array.of(X, 5, 6, X), special: Uint8Array.of(1, 0, 0, 1) });
    const short = example(2, [2, 3], { labels: Int32Array.of(X, X), special: Uint8Array.of(1, 1) });
    const batch = first([text, short], { countsOf: countingOf('masked_lm') });
    expect([...batch.special!]).toEqual([1, 0, 0, 1, 1, 1, 1, 1]);
    // The tokens that may be masked; the objective draws how many are.
    expect(batch.targetTokens).toBe(2);
  });

  test('cannot mix rows with and without a class', () => {
    const error = errorOf(() => first([example(1, [5]), example(2, [5], { classes: Float32Array.of(1) })]));
    expect(error.action).toContain('replay');
  });

  test('counts the targets of one text', () => {
    const text = example(1, [5, 6, 7], { labels: Int32Array.of(5, X, 7) });
    const counts = (['shifted', 'labelled', 'rows'] as const).map((counting) => targetsOf(text, counting));
    expect(counts).toEqual([1, 2, 1]);
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
      expect(batch.targetTokens).toBe(lengths.reduce((sum, n) => sum + n - 1, 0));
    }
  });

  test('is not used in evaluation', () => {
    const held = createBatchSource(train, train, { ...OPTIONS, replay: { examples: base, ratio: 1 } }).evaluation();
    expect(held.flatMap(({ ids }) => [...ids]).some((id) => id >= 1000)).toBe(false);
  });
});

describe('shapes', () => {
  const train = Array.from({ length: 30 }, (_, i) => example(i, Array(20 + ((i * 53) % 100)).fill(1)));
  const base = Array.from({ length: 7 }, (_, i) => example(100 + i, Array(40 + 20 * i).fill(1)));

  test.each([
    ['shifted', 0.25],
    ['rows', 0],
    ['labelled', 0.6],
  ] as const)('counted by %s with a replay ratio of %d are those of the batches', (countsOf, ratio) => {
    const sizes = (examples: TokenizedExample[]) =>
      examples.map((e) => ({ tokens: e.ids.length, targets: targetsOf(e, countsOf) }));
    const options = { batchSize: 3, accumulation: 2, shuffle: true, seed: 5 };
    const shapes = batchShapes(sizes(train), sizes(train.slice(0, 5)), {
      ...options,
      steps: 15,
      replay: { examples: sizes(base), ratio },
    });
    const source = createBatchSource(train, train.slice(0, 5), {
      ...options,
      padTokenId: 0,
      countsOf,
      replay: { examples: base, ratio },
    });
    const key = (rows: number, length: number, targets: number) =>
      `${rows}x${length} ${Math.ceil((4 * targets) / (rows * length))}`;
    const real = Array.from({ length: 15 }, (_, step) => source.microBatches(step)).flat();
    const keys = (batches: typeof real) => [...new Set(batches.map((b) => key(b.batchSize, b.length, b.targetTokens)))];
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
