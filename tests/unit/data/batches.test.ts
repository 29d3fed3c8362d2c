import { describe, expect, test } from 'vitest';
import { IGNORE_INDEX } from '../../../src/base/ignore-index';
import { batchShapes, bucketFor, countTargets, createBatchSource, stepRows } from '../../../src/data/batches';
import { finish } from '../../../src/data/near-duplicates';
import { splitExamples } from '../../../src/data/split';
import { countDuplicates, histogram, labelBalance, percentile } from '../../../src/data/stats';
import { resolveMaxLength } from '../../../src/data/tokenize';
import type { NextTokenBatch, NextTokenExample } from '../../../src/data/types';

const example = (row: number, length: number, masked = 0): NextTokenExample => {
  const ids = Int32Array.from({ length }, (_, i) => row * 100 + i);
  const labels = ids.map((id, i) => (i < masked ? IGNORE_INDEX : id));
  return { kind: 'next_token', row, ids, labels, starts: null, truncatedBy: 0 };
};
const many = (n: number) => Array.from({ length: n }, (_, i) => example(i + 1, 3 + (i % 5)));
const OPTIONS = { batchSize: 2, accumulation: 2, shuffle: true, seed: 42, padTokenId: 9 };
const rowsOf = (batches: { ids: Int32Array; length: number; batchSize: number }[]) =>
  batches.map((b) => Array.from({ length: b.batchSize }, (_, r) => Math.floor(b.ids[r * b.length]! / 100)));

describe('batches', () => {
  test('are padded on the right without labels, and count targets after the shift', () => {
    const options = { ...OPTIONS, shuffle: false, bucket: 8 };
    const [batch] = createBatchSource([example(1, 3), example(2, 5, 2)], [], options).microBatches(
      0,
    ) as NextTokenBatch[];
    expect(batch).toMatchObject({ batchSize: 2, length: 8, targetCount: 2 + 3 });
    expect([...batch!.lengths]).toEqual([3, 5]);
    expect([...batch!.ids]).toEqual([100, 101, 102, 9, 9, 9, 9, 9, 200, 201, 202, 203, 204, 9, 9, 9]);
    expect([...batch!.labels.subarray(0, 8)]).toEqual([100, 101, 102, ...Array(5).fill(IGNORE_INDEX)]);
    expect([...batch!.labels.subarray(8)]).toEqual([
      IGNORE_INDEX,
      IGNORE_INDEX,
      202,
      203,
      204,
      ...Array(3).fill(IGNORE_INDEX),
    ]);
  });

  test.each([
    // n, batch, accumulation -> rows of each micro-batch, step by step. As many steps as transformers' Trainer makes.
    [
      8,
      2,
      2,
      [
        [2, 2],
        [2, 2],
      ],
    ],
    [
      9,
      2,
      2,
      [
        [2, 1],
        [2, 1],
        [2, 1],
      ],
    ],
    [
      11,
      2,
      2,
      [
        [2, 2],
        [2, 2],
        [2, 1],
      ],
    ],
    [10, 8, 1, [[5], [5]]],
    [3, 4, 4, [[3]]],
    [1, 1, 8, [[1]]],
  ])('%i examples in batches of %i × %i', (n, batchSize, accumulation, sizes) => {
    const source = createBatchSource(many(n), [], { ...OPTIONS, batchSize, accumulation });
    expect(source.stepsPerEpoch).toBe(Math.ceil(n / (batchSize * accumulation)));
    const epoch = Array.from({ length: source.stepsPerEpoch }, (_, s) => source.microBatches(s));
    expect(epoch.map((step) => step.map((batch) => batch.batchSize))).toEqual(sizes);
    expect(
      epoch
        .flatMap(rowsOf)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual(many(n).map((e) => e.row));
  });

  test.each([
    // 225 examples in eights left one alone at the end of each epoch, whose loss jumped to 5.6 among 2s.
    [225, 2, 4],
    [225, 8, 1],
    [1001, 5, 3],
    [17, 16, 1],
  ])(
    '%i examples in batches of %i × %i: no step is more than a row smaller than another',
    (n, batchSize, accumulation) => {
      const source = createBatchSource(many(n), [], { ...OPTIONS, batchSize, accumulation });
      const rows = Array.from(
        { length: 3 * source.stepsPerEpoch },
        (_, s) => rowsOf(source.microBatches(s)).flat().length,
      );
      expect(Math.max(...rows) - Math.min(...rows)).toBeLessThanOrEqual(1);
      expect(Math.max(...rows)).toBeLessThanOrEqual(batchSize * accumulation);
      expect(rows.reduce((sum, count) => sum + count, 0)).toBe(3 * n);
    },
  );

  test.each([
    ['shuffled, of uneven steps', 11, {}, 0],
    ['with replay', 23, {}, 0.3],
    ['several steps on the same examples', 10, { pace: { examples: 4, steps: 3 } }, 0],
  ])('can be asked for by number: %s', (_name, n, changes, ratio) => {
    const pieces = Array.from({ length: n }, (_, i) => example(n + i + 1, 4));
    const options = { ...OPTIONS, ...changes };
    const source = createBatchSource(many(n), [], { ...options, replay: { examples: pieces, ratio } });
    const numbered = stepRows(n, options, { count: n, ratio });
    expect(numbered.stepsPerEpoch).toBe(source.stepsPerEpoch);
    for (let step = 0; step < 3 * source.stepsPerEpoch; step++) {
      // Rows count from 1, places from 0.
      const rows = numbered.microBatches(step).map((batch) => batch.map((place) => place + 1));
      expect(rows).toEqual(rowsOf(source.microBatches(step)));
    }
  });

  test('are the Trainer’s own, for a comparison with it', () => {
    // What a DataLoader without drop_last gives: 9 rows in twos, two batches a step.
    const source = createBatchSource(many(9), [], { ...OPTIONS, shuffle: false, even: false });
    expect([0, 1, 2].map((s) => rowsOf(source.microBatches(s)))).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
      [[9]],
    ]);
  });

  test('depend only on the step, not on the order of requests', () => {
    const a = createBatchSource(many(11), [], OPTIONS);
    const b = createBatchSource(many(11), [], OPTIONS);
    const forward = [0, 1, 2, 3, 4, 5, 6].map((s) => rowsOf(a.microBatches(s)));
    const backward = [6, 5, 4, 3, 2, 1, 0].map((s) => rowsOf(b.microBatches(s))).reverse();
    expect(backward).toEqual(forward);
    // The order changes with the epoch and with the seed.
    expect(forward.slice(3, 6)).not.toEqual(forward.slice(0, 3));
    expect(rowsOf(createBatchSource(many(11), [], { ...OPTIONS, seed: 43 }).microBatches(0))).not.toEqual(forward[0]);
  });

  test('are in file order in every epoch without shuffling', () => {
    const source = createBatchSource(many(4), [], { ...OPTIONS, shuffle: false });
    expect(rowsOf(source.microBatches(0))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(rowsOf(source.microBatches(7))).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('cover the validation set once, in order', () => {
    const source = createBatchSource(many(1), many(5), OPTIONS);
    expect(rowsOf(source.evaluation())).toEqual([[1, 2], [3, 4], [5]]);
    expect(createBatchSource(many(1), [], OPTIONS).evaluation()).toEqual([]);
  });

  test('are taken together as asked: the same rows and targets in fewer batches', () => {
    const train = many(21);
    const options = { ...OPTIONS, accumulation: 4 };
    const apart = createBatchSource(train, [], options);
    const together = createBatchSource(train, [], { ...options, together: 4 });
    const pairs = createBatchSource(train, [], { ...options, together: 2 });
    const sum = (batches: { targetCount: number }[]) => batches.reduce((all, { targetCount }) => all + targetCount, 0);
    for (let step = 0; step < 6; step++) {
      const own = apart.microBatches(step);
      expect(together.microBatches(step)).toHaveLength(1);
      for (const joined of [together.microBatches(step), pairs.microBatches(step)]) {
        expect(rowsOf(joined).flat()).toEqual(rowsOf(own).flat());
        expect(sum(joined)).toBe(sum(own));
      }
    }
    // 21 rows in three steps of seven: 2, 2, 2 and 1.
    expect(rowsOf(pairs.microBatches(0)).map(({ length }) => length)).toEqual([4, 3]);
    expect(together.stepsPerEpoch).toBe(apart.stepsPerEpoch);
  });

  test('stay apart where one long text would have all others padded', () => {
    const lengths = [16, 16, 16, 16, 64, 64, 16, 64];
    const train = lengths.map((length, i) => example(i + 1, length));
    const options = { ...OPTIONS, accumulation: 4, shuffle: false, bucket: 16, together: 4 };
    const shapes = createBatchSource(train, [], options)
      .microBatches(0)
      .map(({ batchSize, length }) => [batchSize, length]);
    // Together 8 · 64 = 512 tokens, apart 2 · 16 + 2 · 16 + 2 · 64 + 2 · 64 = 320.
    expect(shapes).toEqual([
      [4, 16],
      [4, 64],
    ]);
  });

  test('are empty without training examples', () => {
    const source = createBatchSource([], [], OPTIONS);
    expect(source.stepsPerEpoch).toBe(0);
    expect(source.microBatches(0)).toEqual([]);
  });

  test('have few distinct lengths', () => {
    expect([1, 127, 128, 1024].map(bucketFor)).toEqual([16, 16, 32, 32]);
    const lengths = new Set<number>();
    const source = createBatchSource(
      Array.from({ length: 200 }, (_, i) => example(i, 1 + i)),
      [],
      { ...OPTIONS, batchSize: 1, accumulation: 1 },
    );
    for (let s = 0; s < 200; s++) lengths.add(source.microBatches(s)[0]!.length);
    expect([...lengths].sort((a, b) => a - b)).toEqual([32, 64, 96, 128, 160, 192, 224]);
  });

  test('work for hundreds of thousands of examples', () => {
    const shared = example(1, 4);
    const source = createBatchSource(Array(300_000).fill(shared), [], OPTIONS);
    expect(source.stepsPerEpoch).toBe(75_000);
    expect(source.microBatches(74_999)).toHaveLength(2);
  });

  test('do not count the label at position 0 as a target', () => {
    expect(countTargets(Int32Array.of(5, IGNORE_INDEX, 6))).toBe(1);
    expect(countTargets(Int32Array.of(5))).toBe(0);
  });
});

describe('split', () => {
  const keys = (n: number) => Array.from({ length: n }, (_, i) => `text ${i}`);

  test.each([
    [10, 0, 0],
    [10, 0.1, 1],
    [10, 0.25, 3],
    [3, 0.1, 1],
    [2, 0.9, 1],
    [1, 0.5, 0],
    [100, 0.999, 99],
  ])('%i examples, share %d: %i held out', (n, share, held) => {
    const { train, validation } = splitExamples(keys(n), share, 42, true);
    expect(validation).toHaveLength(held);
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual(keys(n).map((_, i) => i));
  });

  test('the seed decides, and both sides keep their order', () => {
    const a = splitExamples(keys(50), 0.2, 1, true);
    expect(splitExamples(keys(50), 0.2, 1, true)).toEqual(a);
    expect(splitExamples(keys(50), 0.2, 2, true)).not.toEqual(a);
    expect(a.validation).toEqual([...a.validation].sort((x, y) => x - y));
  });

  test('copies are never on both sides', () => {
    const twins = Array.from({ length: 60 }, (_, i) => `text ${i % 20}`);
    for (let seed = 0; seed < 20; seed++) {
      const { train, validation } = splitExamples(twins, 0.2, seed, true);
      expect(validation).toHaveLength(12);
      const held = new Set(validation.map((i) => twins[i]));
      expect(train.some((i) => held.has(twins[i]))).toBe(false);
    }
    expect(splitExamples(Array(8).fill('same'), 0.5, 1, true).validation).toEqual([]);
  });

  test('the last examples are held out without shuffling', () => {
    expect(splitExamples(keys(10), 0.2, 1, false).validation).toEqual([8, 9]);
    expect(splitExamples(['a', 'b', 'c', 'd', 'a'], 0.2, 1, false).validation).toEqual([3]);
  });
});

describe('statistics', () => {
  test('percentile by nearest rank', () => {
    expect(percentile([], 0.95)).toBe(0);
    expect(percentile([7], 0.95)).toBe(7);
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0, 0.5, 0.95, 1].map((p) => percentile(hundred, p))).toEqual([1, 50, 95, 100]);
  });

  test('histogram with every length in one bin and whole bin widths', () => {
    expect(histogram([])).toEqual([]);
    const bins = histogram([0, 1, 2, 99, 99], 4);
    expect(bins.map((b) => b.count)).toEqual([3, 0, 0, 2]);
    expect(bins[0]).toEqual({ from: 0, to: 25, count: 3 });
    expect(histogram(Array.from({ length: 500 }, (_, i) => i)).reduce((n, b) => n + b.count, 0)).toBe(500);
  });

  test('duplicates and labels', () => {
    expect(countDuplicates(['a', 'b', 'a', 'a'])).toBe(2);
    const examples = ['x', 'y', 'x'].map((completion, i) => ({
      kind: 'prompt_completion' as const,
      row: i,
      prompt: 'p',
      completion,
    }));
    expect(labelBalance(examples)).toEqual([
      { label: 'x', count: 2, share: 2 / 3, row: 0 },
      { label: 'y', count: 1, share: 1 / 3, row: 1 },
    ]);
  });

  const oneInAHundred = [...Array.from({ length: 99 }, () => 40), 1500];
  test.each<[number | 'auto', number[], number, 'truncated' | 'split', number | undefined, number]>([
    ['auto', [10, 20, 30], 2048, 'truncated', undefined, 32],
    ['auto', [200], 2048, 'truncated', undefined, 224],
    // The longest answers are kept, however few they are.
    ['auto', oneInAHundred, 2048, 'truncated', undefined, 1504],
    ['auto', [5000], 32_768, 'truncated', undefined, 5024],
    ['auto', [5000], 512, 'truncated', undefined, 512],
    ['auto', [5000], 32_768, 'truncated', 2048, 2048],
    ['auto', [100], 32_768, 'truncated', 2048, 112],
    ['auto', [3], 2048, 'truncated', undefined, 16],
    // A text that is split loses nothing.
    ['auto', oneInAHundred, 2048, 'split', undefined, 48],
    ['auto', [5000], 32_768, 'split', undefined, 1024],
    [100, [5000], 2048, 'truncated', undefined, 100],
    [4096, [5000], 2048, 'truncated', undefined, 2048],
    [4096, [5000], 8192, 'truncated', 1024, 4096],
  ])(
    'max_length %s of lengths %j in a context of %i, %s, with memory for %s, is %i',
    (limit, lengths, context, longTexts, memory, expected) => {
      expect(resolveMaxLength(limit, lengths, context, longTexts, memory)).toBe(expected);
    },
  );
});

describe('batch shapes', () => {
  test.each([1, 2])('are those of the batches in the run, each once, widest first; taken together: %i', (together) => {
    const train = many(40).map((e, i) => example(e.row, 20 + ((i * 53) % 100), 10 + (i % 7)));
    const validation = many(5).map((e, i) => example(e.row, 30 + 20 * i, 12));
    const options = { batchSize: 3, accumulation: 2, shuffle: true, seed: 5, together };
    const sizes = (examples: NextTokenExample[]) =>
      examples.map(({ ids, labels }) => ({ tokens: ids.length, targets: countTargets(labels) }));
    const shapes = finish(batchShapes(sizes(train), sizes(validation), { ...options, steps: 12 }));
    const source = createBatchSource(train, validation, { ...options, padTokenId: 0 });
    const quarter = (rows: number, length: number, targets: number) =>
      `${rows}x${length} ${Math.ceil((4 * targets) / (rows * length))}`;
    const real = Array.from({ length: 12 }, (_, step) => source.microBatches(step)).flat();
    const keys = (batches: { batchSize: number; length: number; targetCount: number }[]) =>
      [...new Set(batches.map((b) => quarter(b.batchSize, b.length, b.targetCount)))].sort();
    const found = (list: typeof shapes.training) => list.map((s) => quarter(s.rows, s.length, s.targets)).sort();
    expect(found(shapes.training)).toEqual(keys(real));
    expect(found(shapes.evaluation)).toEqual(keys(source.evaluation()));
    const area = shapes.training.map((s) => s.rows * s.length);
    expect(area).toEqual([...area].sort((a, b) => b - a));
    expect(new Set(area).size).toBeGreaterThan(2);
    // Within a shape the most targets count, since rows of logits are padded up.
    const { rows } = shapes.training[0]!;
    const most = Math.max(...real.filter((b) => b.length === 128 && b.batchSize === rows).map((b) => b.targetCount));
    expect(shapes.training[0]).toEqual({ rows: 3 * together, length: 128, targets: most });
  });

  test('are empty without examples', () => {
    const options = { batchSize: 2, accumulation: 1, shuffle: true, seed: 1, steps: 3 };
    expect(finish(batchShapes([], [], options))).toEqual({ training: [], evaluation: [] });
  });
});
