import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { partsOfBaseText } from '../../../src/data/base-text-parts';
import { createDataApi } from '../../../src/workers/data/service';
import { allOf, apiWith, baseFiles, errorOf, jsonl, STORIES, section, tokenizerFiles, utf8 } from './helpers';
import { bert, SFT } from './objectives';

/** The first document of the built-in base text, encoded by the Python tokenizers library. */
const FIRST_DOCUMENT = [
  1, 281, 201, 506, 340, 314, 487, 259, 1131, 33, 2, 201, 1, 282, 201, 35, 1131, 769, 322, 1841, 301, 1320, 16, 2, 201,
  0,
];

describe('base text', () => {
  const bytes = (text: string) => utf8(text).buffer as ArrayBuffer;

  test('gives pieces in which every token is a target, without affecting the open dataset', () => {
    const api = apiWith(baseFiles(), 'a.jsonl', jsonl([{ prompt: 'a', completion: 'b' }]));
    const before = api.tokenize(section(), SFT, 512, 1);
    const pieces = api.tokenizeBaseText('base.txt', bytes(`${'A boat sails. '.repeat(20)}\n\nThe end.`), 16);
    expect(Math.max(...pieces.map((p) => p.ids.length))).toBe(16);
    expect(allOf('next_token', pieces).every((p) => [...p.labels].every((l, i) => l === p.ids[i]))).toBe(true);
    expect(pieces.map((p) => api.decode(p.ids)).join('')).toContain('A boat sails. A boat sails.');
    expect(api.decode(pieces.at(-1)!.ids)).toBe('The end.');
    expect(api.tokenize(section(), SFT, 512, 1)).toEqual(before);
  });

  test('reads the built-in text as in the model’s training, without adding EOS', () => {
    const api = createDataApi();
    api.openTokenizer(tokenizerFiles(STORIES));
    const file = readFileSync('public/datasets/base-text.jsonl');
    const pieces = api.tokenizeBaseText('base-text.jsonl', new Uint8Array(file).buffer, 512);
    const texts = file
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).text as string);
    expect(texts).toHaveLength(240);
    expect(new Set(texts).size).toBe(240);
    expect(texts.every((text) => text.endsWith('<|endoftext|>'))).toBe(true);
    const piece = (i: number) => [...pieces[i]!.ids];
    expect(pieces.map((_, i) => piece(i).at(-1))).toEqual(texts.map(() => 0));
    expect(piece(0)).toEqual(FIRST_DOCUMENT);
  });

  test('encloses pieces in special tokens for masked_lm', () => {
    const api = createDataApi();
    api.openTokenizer(bert);
    const pieces = api.tokenizeBaseText(
      'base.jsonl',
      bytes('{"text": "one two three"}\n{"text": "four"}'),
      4,
      'masked_lm',
    );
    expect(pieces.map((p) => [...p.ids])).toEqual([
      [2, 5, 6, 3],
      [2, 7, 3],
      [2, 8, 3],
    ]);
    expect([...allOf('hidden_tokens', pieces)[0]!.special]).toEqual([1, 0, 0, 1]);
  });

  test.each([
    [1, 1, 1],
    [2, 1, 1],
    [10, 3, 7],
    [240, 32, 208],
  ])('of %i pieces uses %i for measuring and %i for learning', (count, measured, learned) => {
    const pieces = Array.from({ length: count }, (_, i) => i);
    const parts = partsOfBaseText(pieces);
    expect(parts.measured).toEqual(pieces.slice(0, measured));
    expect(parts.learned).toEqual(pieces.slice(count - learned));
  });

  test('refuses a file without text', () => {
    const api = createDataApi();
    api.openTokenizer(bert);
    expect(errorOf(() => api.tokenizeBaseText('base.txt', bytes('\u200b'), 8, 'masked_lm')).code).toBe('bad_data');
  });
});
