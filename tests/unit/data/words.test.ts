/** Words and their tokens, compared exactly with the Rust library's word_ids() (tests/oracle/make_task_fixtures.py). */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeWords, firstOfWords } from '../../../src/data/encode-words';
import { TextTokenizer } from '../../../src/data/tokenizer';
import { STORIES, tokenizerFiles } from './helpers';

interface Fixture {
  words: string[][];
  tokenizers: Record<string, { space_in_words: boolean; rows: { ids: number[]; word_ids: number[] }[] }>;
}
const url = new URL('../../fixtures/tasks/words.json', import.meta.url);
const fixture: Fixture = JSON.parse(readFileSync(url, 'utf8'));

test('covers ten tokenisers of all kinds', () => {
  expect(Object.keys(fixture.tokenizers)).toHaveLength(10);
  expect(fixture.words.flat().length).toBeGreaterThan(100);
});

describe.each(Object.entries(fixture.tokenizers))('%s', (name, { rows, space_in_words }) => {
  const tokenizer = new TextTokenizer(tokenizerFiles(`tests/fixtures/tokenizers/${name}`));

  test('gives the same ids and word indices', () => {
    fixture.words.forEach((words, i) => {
      const found = encodeWords(words, tokenizer);
      expect([...found.ids], words.join(' ')).toEqual(rows[i]!.ids);
      expect([...found.words], words.join(' ')).toEqual(rows[i]!.word_ids);
    });
  });

  test('adds a space before a word if the tokeniser does not', () => {
    const byteLevel = ['roberta', 'gpt2'].includes(name);
    expect(tokenizer.wordPrefix).toBe(space_in_words || byteLevel ? ' ' : '');
  });
});

test('every tokeniser adds the same special tokens as the Rust library', () => {
  const folder = new URL('../../fixtures/tokenizers/', import.meta.url);
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));
  for (const name of names) {
    const golden = JSON.parse(readFileSync(new URL(`${name}/golden.json`, folder), 'utf8'));
    const { around } = new TextTokenizer(tokenizerFiles(`tests/fixtures/tokenizers/${name}`));
    expect(around, name).toEqual({ before: golden.special_before, behind: golden.special_behind });
  }
  expect(names.length).toBeGreaterThan(10);
});

test('marks the first token of each word', () => {
  expect([...firstOfWords(Int32Array.of(-1, 0, 0, 1, 3, 3, 4, -1))]).toEqual([0, 1, 0, 1, 1, 0, 1, 0]);
  expect([...firstOfWords(Int32Array.of(0, 1, 1))]).toEqual([1, 1, 0]);
});

test('an added token among words is one token', () => {
  const tokenizer = new TextTokenizer(tokenizerFiles(STORIES));
  const { ids, words } = encodeWords(['a', '<|im_end|>', 'b'], tokenizer);
  expect([...words].filter((word) => word === 1)).toHaveLength(1);
  expect([...ids]).toContain(tokenizer.idOf('<|im_end|>'));
});
