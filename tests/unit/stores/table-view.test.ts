/** Which examples the table shows, and in which order. */
import { describe, expect, test } from 'vitest';
import { sample } from '../../../src/base/random';
import type { Example, ExampleFacts } from '../../../src/data/types';

const { showExamples, TableStopped } = await import('../../../src/stores/table-view');
const { everything } = await import('../../../src/stores/table');
type Query = typeof everything;

const texts = ['A red Fox', 'a blue whale', 'the red sea', 'Nothing', 'a fox again', 'white'];
const labels = ['b', 'a', 'b', '10', '9', 'b'];
const examples: Example[] = texts.map((text, i) => ({ kind: 'labelled', row: 2 * i + 1, text, labels: [labels[i]!] }));
// Row 7 (the fourth) is not among those that the model can read.
const byExample: ExampleFacts = {
  rows: Int32Array.of(1, 3, 5, 9, 11),
  tokens: Int32Array.of(5, 3, 4000, 3, 1),
  sides: Uint8Array.of(1, 2, 1, 0, 1),
};
const dataset = { examples, format: 'labelled' as const };
const shown = async (query: Partial<Query>, findingRows: number[] = []) => {
  const { order } = await showExamples(dataset, { ...everything, ...query }, { byExample, findingRows });
  return order && [...order].map((i) => examples[i]!.row);
};

describe('filters', () => {
  test('everything is the file itself', async () => expect(await shown({})).toBeNull());
  test('by text, whatever its case, or by a label’s name', async () => {
    expect(await shown({ text: ' FOX' })).toEqual([1, 9]);
    expect(await shown({ text: '10' })).toEqual([7]);
    expect(await shown({ text: 'zebra' })).toEqual([]);
  });
  test('by finding, label and part', async () => {
    expect(await shown({ finding: 'x' }, [3, 7, 11])).toEqual([3, 7, 11]);
    expect(await shown({ label: 'b' })).toEqual([1, 5, 11]);
    expect(await shown({ side: 'validation' })).toEqual([3]);
    expect(await shown({ side: 'left_out' })).toEqual([7, 9]);
    expect(await shown({ label: 'b', text: 'red', side: 'train' })).toEqual([1, 5]);
  });
  test('by a sample, which the seed decides, and of which the others choose', async () => {
    const drawn = [...sample(6, 3, 7)].map((i) => examples[i]!.row);
    expect(await shown({ sample: { count: 3, seed: 7 } })).toEqual(drawn);
    expect(await shown({ sample: { count: 3, seed: 7 }, label: 'b' })).toEqual(
      drawn.filter((row) => [1, 5, 11].includes(row)),
    );
    expect(await shown({ sample: { count: 60, seed: 7 } })).toBeNull();
  });
});

describe('order', () => {
  test('by tokens, equal ones as in the file, unread ones as the shortest', async () => {
    expect(await shown({ sort: 'tokens' })).toEqual([7, 11, 3, 9, 1, 5]);
    expect(await shown({ sort: 'tokens', down: true })).toEqual([5, 1, 9, 3, 11, 7]);
  });
  test('by label, numbers by value', async () => {
    expect(await shown({ sort: 'label' })).toEqual([9, 7, 3, 1, 5, 11]);
  });
  test('of the file, from its end', async () => expect(await shown({ down: true })).toEqual([11, 9, 7, 5, 3, 1]));
  test('is right for many', async () => {
    const many: Example[] = Array.from({ length: 5000 }, (_, i) => ({ kind: 'text', row: i + 1, text: '' }));
    const tokens = Int32Array.from(many, (_, i) => (i * 7919) % 3_000_017);
    const facts = { rows: Int32Array.from(many, ({ row }) => row), tokens, sides: new Uint8Array(5000) };
    const { order } = await showExamples(
      { examples: many, format: 'text' },
      { ...everything, sort: 'tokens' },
      {
        byExample: facts,
        findingRows: [],
      },
    );
    const expected = many.map((_, i) => i).sort((a, b) => tokens[a]! - tokens[b]! || a - b);
    expect([...order!]).toEqual(expected);
  });
});

test('labels are counted over the whole file', async () => {
  const { balance } = await showExamples(dataset, { ...everything, text: 'fox' }, { byExample, findingRows: [] });
  expect(balance).toEqual({
    examples: 6,
    labels: [
      { label: 'b', count: 3 },
      { label: '10', count: 1 },
      { label: '9', count: 1 },
      { label: 'a', count: 1 },
    ],
  });
});

test('it can be stopped, and says how far it is', async () => {
  const many: Example[] = Array.from({ length: 300_000 }, (_, i) => ({
    kind: 'text',
    row: i + 1,
    text: `text ${i} `.repeat(9),
  }));
  const stop = new AbortController();
  const shares: number[] = [];
  const work = showExamples(
    { examples: many, format: 'text' },
    { ...everything, text: 'nowhere' },
    { byExample: null, findingRows: [] },
    {
      signal: stop.signal,
      onProgress(share) {
        shares.push(share);
        stop.abort();
      },
    },
  );
  await expect(work).rejects.toBeInstanceOf(TableStopped);
  expect(shares).toHaveLength(1);
});

test('a sample has no example twice, and more of it holds less of it', () => {
  const drawn = sample(1000, 100, 42);
  expect(new Set(drawn).size).toBe(100);
  expect([...drawn]).toEqual([...drawn].sort((a, b) => a - b));
  const larger = new Set(sample(1000, 200, 42));
  expect(drawn.every((i) => larger.has(i))).toBe(true);
  expect([...sample(1000, 100, 43)]).not.toEqual([...drawn]);
  expect(sample(3, 10, 1)).toEqual(Uint32Array.of(0, 1, 2));
});

test('rows with spaces around a text are found', async () => {
  const given: Example[] = [
    { kind: 'prompt_completion', row: 1, prompt: 'a', completion: 'b' },
    { kind: 'prompt_completion', row: 2, prompt: 'a', completion: ' b' },
    { kind: 'messages', row: 3, messages: [{ role: 'user', content: 'a\n' }] },
  ];
  const about = { byExample: null, findingRows: [] };
  const { spaced } = await showExamples({ examples: given, format: 'messages' }, everything, about);
  expect(spaced).toEqual([2, 3]);
});
