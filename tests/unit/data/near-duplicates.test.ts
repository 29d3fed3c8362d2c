import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/base/random';
import { findLeaks, finish, nearDuplicates, togetherKeys } from '../../../src/data/near-duplicates';
import { NearIndex } from '../../../src/data/near-index';
import { beside, jaccard, sharedShingles, shinglesOf } from '../../../src/data/shingles';
import type { Example } from '../../../src/data/types';

const text = (row: number, words: string): Example => ({ kind: 'text', row, text: words });
const pair = (row: number, prompt: string, completion: string): Example => ({
  kind: 'prompt_completion',
  row,
  prompt,
  completion,
});
const labelled = (row: number, words: string, label: string): Example => ({
  kind: 'labelled',
  row,
  text: words,
  labels: [label],
});

/** Words of random texts; the n-th text has its own. */
const words = (n: number, count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `w${Math.floor(uniform(7, 1, from + i, n) * 5000)}`);

const LONG = words(0, 60);
/** One word of 60 replaced: 3 of 58 shingles differ on each side, so the similarity is 55 / 61. */
const changed = (at: number) => [...LONG.slice(0, at), 'other', ...LONG.slice(at + 1)].join(' ');

describe('shingles', () => {
  it('ignore case, signs and spaces', () => {
    expect(shinglesOf('Hello,  WORLD — it’s me!')).toEqual(shinglesOf('hello world it s me'));
    expect(shinglesOf('Hello')).toHaveLength(1);
    expect(shinglesOf(' … ')).toHaveLength(0);
    expect(shinglesOf('Straße Ärger über')).not.toEqual(shinglesOf('Stra e rger ber'));
  });

  it('read scripts without spaces letter by letter', () => {
    // Ten letters make eight shingles; one letter changed at the end changes one of them.
    expect(shinglesOf('今日は天気がいいです')).toHaveLength(8);
    expect(jaccard(shinglesOf('今日は天気がいいです'), shinglesOf('今日は天気がいいでし'))).toBe(7 / 9);
  });

  it('give the Jaccard similarity of the sets', () => {
    expect(jaccard(shinglesOf(LONG.join(' ')), shinglesOf(changed(30)))).toBeCloseTo(55 / 61, 12);
    expect(jaccard(shinglesOf('a b c d'), shinglesOf('e f g h'))).toBe(0);
    expect(jaccard(shinglesOf(''), shinglesOf(''))).toBe(0);
  });

  it('know what a template writes into every text', () => {
    const texts = ['red', 'green', 'blue'].map((colour) => `say in one word what you think of ${colour} paint`);
    const shared = sharedShingles(texts);
    const own = texts.map((t) => beside(shinglesOf(t), shared));
    expect(own.map((set) => set.length)).toEqual([2, 2, 2]);
    expect(jaccard(own[0]!, own[1]!)).toBe(0);
  });
});

describe('near-duplicates', () => {
  it('are grouped under the first, which stays', () => {
    const examples = [
      text(1, LONG.join(' ')),
      text(2, words(1, 60).join(' ')),
      text(3, changed(5)),
      text(4, changed(40)),
      text(5, words(2, 60).join(' ')),
    ];
    expect(finish(nearDuplicates(examples))).toEqual([
      {
        kept: 1,
        others: [
          { row: 3, similarity: 55 / 61 },
          { row: 4, similarity: 55 / 61 },
        ],
      },
    ]);
  });

  it('are near to the row that stays, not only to each other', () => {
    // A chain: each text has its first five words replaced once more, so neighbours are near and the ends are not.
    const step = (n: number) => [...words(9, 5 * n, 900), ...LONG.slice(5 * n)].join(' ');
    const examples = [0, 1, 2, 3, 4].map((n) => text(n + 1, step(n)));
    const sets = examples.map((e) => shinglesOf((e as { text: string }).text));
    for (const { kept, others } of finish(nearDuplicates(examples))) {
      for (const { row, similarity } of others) {
        expect(jaccard(sets[kept - 1]!, sets[row - 1]!)).toBe(similarity);
        expect(similarity).toBeGreaterThanOrEqual(0.8);
      }
    }
    expect(jaccard(sets[0]!, sets[4]!)).toBeLessThan(0.8);
  });

  it('do not count exact copies, which another check finds', () => {
    expect(finish(nearDuplicates([text(1, 'one two three four'), text(2, 'one two three four')]))).toEqual([]);
    // Written in another way, it is not an exact copy.
    expect(finish(nearDuplicates([text(1, 'One two three four.'), text(2, 'one two three four')]))).toEqual([
      { kept: 1, others: [{ row: 2, similarity: 1 }] },
    ]);
  });

  it('say when an equal text has another label', () => {
    const examples = [
      labelled(1, 'The room was cold and dark!', 'bad'),
      labelled(2, 'the room was cold and dark', 'good'),
    ];
    expect(finish(nearDuplicates(examples))).toEqual([
      { kept: 1, others: [{ row: 2, similarity: 1, otherLabel: true }] },
    ]);
  });

  it('finds what comparing every pair finds', () => {
    // 300 texts, each third with one to four words replaced: similarities from 0.9 down to 0.66.
    const bodies: string[] = [];
    for (let n = 0; bodies.length < 300; n++) {
      const base = words(100 + n, 60);
      bodies.push(base.join(' '));
      const edited = [...base];
      for (let k = 0; k <= n % 4; k++) edited[(k * 13 + n) % 60] = `x${k}`;
      bodies.push(edited.join(' '), words(1000 + n, 60).join(' '));
    }
    const sets = bodies.map((body) => shinglesOf(body));
    const near: string[] = [];
    for (let i = 0; i < 300; i++)
      for (let j = 0; j < i; j++) if (jaccard(sets[i]!, sets[j]!) >= 0.8) near.push(`${j} ${i}`);
    const index = new NearIndex(300);
    const found: string[] = [];
    sets.forEach((set, i) => {
      index.near(set, (id) => found.push(`${id} ${i}`) > 0);
      index.add(i, set);
    });
    expect(near.length).toBeGreaterThan(30);
    expect(found.sort()).toEqual(near.sort());
  });
});

describe('leaks', () => {
  const train = [
    pair(1, 'What is the capital of France?', 'Paris.'),
    pair(2, LONG.slice(0, 30).join(' '), LONG.slice(30).join(' ')),
    pair(3, 'Name a colour.', 'Red.'),
  ];

  it('are found by copy, by likeness and by prompt', () => {
    const validation = [
      pair(4, 'What is the capital of France?', 'Paris.'),
      pair(5, changed(3).split(' ').slice(0, 30).join(' '), LONG.slice(30).join(' ')),
      pair(6, ' name a  colour. ', 'A fine blue that nobody else has named before.'),
      pair(7, 'Something else entirely, never asked', 'And answered so.'),
    ];
    expect(finish(findLeaks(train, validation))).toEqual([
      { row: 4, of: 1, how: 'exact' },
      { row: 5, of: 2, how: 'near', similarity: 55 / 61 },
      { row: 6, of: 3, how: 'prompt' },
    ]);
  });

  it('are held together by keys, whatever the way they hang together', () => {
    const examples = [
      ...train,
      pair(4, 'NAME A COLOUR.', 'Green, as grass is in spring, says the man.'),
      pair(5, 'Other', 'x'),
    ];
    const keys = examples.map((_, i) => `own ${i}`);
    const [a, b, c, d, e] = finish(togetherKeys(examples, keys));
    expect(d).toBe(c);
    expect(new Set([a, b, c, e]).size).toBe(4);
    keys[4] = keys[0]!;
    expect(finish(togetherKeys(examples, keys))).toEqual([a, b, c, c, a]);
  });
});
