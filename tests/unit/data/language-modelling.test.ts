/** What the language-modelling objectives turn a dataset into: ids, labels, pieces and packed rows. */
import { describe, expect, test } from 'vitest';
import type { TokenizedExample } from '../../../src/data/types';
import type { DataApi } from '../../../src/workers/data/api';
import { createDataApi } from '../../../src/workers/data/service';
import { allOf, apiWith, baseFiles, codes, jsonl, STORIES, section, tokenizerFiles } from './helpers';
import { bert, MASKED, plain, SFT, TEXTS, X } from './objectives';

const buffers = (examples: TokenizedExample[]) =>
  examples.flatMap((e) => Object.values(e).filter((value) => ArrayBuffer.isView(value)));

describe('masked language modelling', () => {
  test('splits texts into pieces enclosed in marked special tokens, without losing anything', () => {
    const api = apiWith(bert, 'a.jsonl', jsonl([{ text: 'one two three four five one' }, { text: 'two' }]));
    const dataset = api.tokenize(section({ max_length: 6 }), MASKED, 64, 1);
    expect(plain(dataset.train)).toEqual([
      { ids: [2, 5, 6, 7, 8, 3], special: [1, 0, 0, 0, 0, 1] },
      { ids: [2, 9, 5, 3], special: [1, 0, 0, 1] },
      { ids: [2, 6, 3], special: [1, 0, 1] },
    ]);
    expect(dataset.train.every((e) => e.truncatedBy === 0)).toBe(true);
    // A quarter of seven, rounded.
    expect(dataset.stats).toMatchObject({ examples: 2, targetTokens: 2 });
    expect(dataset.task).toBeNull();
  });

  test('uses the text of labelled and tagged rows', () => {
    const labelled = apiWith(bert, 'a.jsonl', jsonl([{ text: 'one two', label: 'a' }]));
    expect(plain(labelled.tokenize(section(), MASKED, 64, 1).train)[0]!.ids).toEqual([2, 5, 6, 3]);
    const tagged = apiWith(bert, 'a.conll', 'one O\ntwo B-X\n');
    expect(plain(tagged.tokenize(section(), MASKED, 64, 1).train)[0]!.ids).toEqual([2, 5, 6, 3]);
  });

  test('finds the mask token', () => {
    expect(createDataApi().openTokenizer(bert).maskTokenId).toBe(4);
    expect(createDataApi().openTokenizer(tokenizerFiles(STORIES)).maskTokenId).toBeNull();
    const roberta = tokenizerFiles('tests/fixtures/tokenizers/roberta', { tokenizerConfig: null });
    expect(createDataApi().openTokenizer(roberta).maskTokenId).toBeGreaterThan(0);
  });
});

describe('pretraining', () => {
  const text = (n: number) => `There was a boat number ${n}. `.repeat(1 + (n % 4)).trim();
  const file = jsonl(Array.from({ length: 30 }, (_, i) => ({ text: text(i) })));
  const api = apiWith(baseFiles(), 'a.jsonl', file);
  const eos = createDataApi().openTokenizer(baseFiles()).eosTokenId!;

  test('packs texts end to end with end tokens between them, filling every row but the last', () => {
    const dataset = api.tokenize(section({ max_length: 32, packing: true }), TEXTS, 512, 1);
    expect(dataset.train.slice(0, -1).every((e) => e.ids.length === 32)).toBe(true);
    const joined = dataset.train.flatMap((e) => [...e.ids]);
    expect(joined.filter((id) => id === eos)).toHaveLength(30);
    expect(joined.length).toBe(dataset.stats.tokens);
    expect(api.decode(Int32Array.from(joined.filter((id) => id !== eos)))).toContain(text(2));
    for (const { ids, labels, starts } of allOf('next_token', dataset.train)) {
      ids.forEach((id, i) => {
        // A text starts at the start of a row and after an end token.
        const begins = i === 0 || ids[i - 1] === eos;
        expect(starts![i]).toBe(begins ? i : starts![i - 1]);
        expect(labels[i]).toBe(begins ? X : id);
      });
    }
    expect(dataset.stats).toMatchObject({ examples: 30, trainExamples: 30, truncated: 0 });
    expect(codes(dataset)).toEqual([]);
  });

  test('splits long texts into pieces without packing', () => {
    const dataset = api.tokenize(section({ max_length: 16 }), TEXTS, 512, 1);
    expect(dataset.train.length).toBeGreaterThan(30);
    expect(Math.max(...dataset.train.map((e) => e.ids.length))).toBe(16);
    const train = allOf('next_token', dataset.train);
    expect(train.every((e) => e.truncatedBy === 0 && e.starts === null)).toBe(true);
    expect(train.every((e) => [...e.labels].every((l, i) => l === e.ids[i]))).toBe(true);
  });

  test('splits off the validation set before packing', () => {
    const dataset = api.tokenize(section({ max_length: 64, packing: true, validation_split: 0.2 }), TEXTS, 512, 1);
    expect(dataset.stats).toMatchObject({ trainExamples: 24, validationExamples: 6 });
    const rows = (list: TokenizedExample[]) => list.reduce((n, e) => n + e.ids.length, 0);
    expect(rows(dataset.train) + rows(dataset.validation)).toBe(dataset.stats.tokens);
  });

  test('learns all of other formats', () => {
    const pair = apiWith(baseFiles(), 'a.jsonl', jsonl([{ prompt: 'Once upon', completion: ' a time' }]));
    const [example] = allOf('next_token', pair.tokenize(section(), TEXTS, 512, 1).train);
    expect([...example!.labels]).toEqual([...example!.ids]);
    expect(pair.decode(example!.ids)).toBe('Once upon a time');
    const labelled = apiWith(baseFiles(), 'a.jsonl', jsonl([{ text: 'A fine day', label: 'good' }]));
    expect(labelled.decode(labelled.tokenize(section(), TEXTS, 512, 1).train[0]!.ids)).toBe('A fine day');
  });
});

describe('packed answers', () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({
    prompt: `What is ${i}?`,
    completion: `It is ${'very '.repeat(i % 5)}${i}.`,
  }));
  const api = apiWith(tokenizerFiles(STORIES), 'a.jsonl', jsonl(rows));

  test('contain the same examples with the same labels in fewer rows', () => {
    const apart = api.tokenize(section({ max_length: 128 }), SFT, 512, 1);
    const packed = api.tokenize(section({ max_length: 128, packing: true }), SFT, 512, 1);
    expect(packed.train.length).toBeLessThan(apart.train.length / 2);
    const parts = allOf('next_token', packed.train).flatMap(({ ids, labels, starts }) =>
      [...new Set(starts)].map((start) => {
        const own = [...ids.keys()].filter((i) => starts![i] === start);
        return JSON.stringify([own.map((i) => ids[i]), own.map((i) => labels[i])]);
      }),
    );
    const whole = allOf('next_token', apart.train).map(({ ids, labels }) => JSON.stringify([[...ids], [...labels]]));
    expect(parts.sort()).toEqual(whole.sort());
    expect(packed.stats).toEqual(apart.stats);
  });

  test('do not share larger buffers, which would be sent with them', () => {
    const lists = [
      api.tokenize(section({ max_length: 64, packing: true }), SFT, 512, 1),
      api.tokenize(section({ max_length: 32, packing: true }), TEXTS, 512, 1),
      api.tokenize(section({ max_length: 16 }), MASKED, 512, 1),
    ];
    for (const array of lists.flatMap(({ train }) => buffers(train))) {
      expect(array.buffer.byteLength).toBe(array.byteLength);
    }
  });
});

describe('labelled and tagged rows as prompts and answers', () => {
  const learned = (api: DataApi, row: number) =>
    api
      .viewTokens(row, section(), SFT, 4096)
      .tokens.filter((t) => t.trained)
      .map((t) => t.text)
      .join('');

  test('a label is spelled as in the file, several are joined by commas, and a row without one is left out', () => {
    const csv = apiWith(baseFiles(), 'a.csv', 'text,label\nA fine day,2.50\nA bad day,1.0\n');
    expect(learned(csv, 1)).toBe('\n2.50<|im_end|>');
    const lists = jsonl([
      { text: 'A fine day', label: ['a', 'b'] },
      { text: 'A day', label: [] },
    ]);
    const several = apiWith(baseFiles(), 'a.jsonl', lists);
    expect(learned(several, 1)).toBe('\na, b<|im_end|>');
    expect(codes(several.tokenize(section(), SFT, 512, 1))).toEqual(['empty_label@2']);
  });

  test('tags are written on one line', () => {
    const api = apiWith(baseFiles(), 'a.conll', 'Ann B-PER\nsings O\n');
    expect(api.viewTokens(1, section(), SFT, 64).rendered).toBe('Ann sings\nB-PER O<|im_end|>');
  });
});
