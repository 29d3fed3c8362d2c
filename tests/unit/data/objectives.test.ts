/** What each objective turns a dataset into: the ids, labels, classes, pieces and packed rows that the engine gets. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { partsOfBaseText } from '../../../src/data/base-parts';
import { IGNORE } from '../../../src/data/batches';
import type { TokenizedExample } from '../../../src/data/types';
import type { ObjectiveSection } from '../../../src/recipe/types';
import type { DataApi } from '../../../src/workers/data/api';
import { createDataApi } from '../../../src/workers/data/service';
import {
  allOf,
  apiWith,
  baseFiles,
  bertFiles,
  codes,
  errorOf,
  jsonl,
  STORIES,
  section,
  tokenizerFiles,
  utf8,
} from './helpers';

const CLASSES = { type: 'sequence_classification', problem_type: 'auto' } as const;
const TAGS = { type: 'token_classification' } as const;
const MASKED = { type: 'masked_lm', mlm_probability: 0.25 } as const;
const TEXTS = { type: 'pretraining' } as const;
const SFT = { type: 'sft', assistant_only_loss: true } as const;
const X = IGNORE;
/** The first document of the built-in base text, encoded by the Python tokenizers library. */
const FIRST_DOCUMENT = [
  1, 281, 201, 506, 340, 314, 487, 259, 1131, 33, 2, 201, 1, 282, 201, 35, 1131, 769, 322, 1841, 301, 1320, 16, 2, 201,
  0,
];

/** one is 5, two 6, … */
const bert = bertFiles(['one', 'two', 'three', 'four', 'five', '##s']);
const plain = (examples: TokenizedExample[]) =>
  examples.map((e) => {
    const ids = [...e.ids];
    switch (e.kind) {
      case 'text_targets':
        return { ids, targets: [...e.targets] };
      case 'hidden_tokens':
        return { ids, special: [...e.special] };
      default:
        return { ids, labels: [...e.labels] };
    }
  });
const buffers = (examples: TokenizedExample[]) =>
  examples.flatMap((e) => Object.values(e).filter((value) => ArrayBuffer.isView(value)));

describe('sequence classification', () => {
  const rows = [
    { text: 'one two', label: 'b' },
    { text: 'three', label: 'a' },
    { text: 'two one four five one two', label: 'b' },
  ];

  test('encloses texts in special tokens and gives the class id', () => {
    const dataset = apiWith(bert, 'a.jsonl', jsonl(rows)).tokenize(section({ max_length: 6 }), CLASSES, 64, 1);
    expect(plain(dataset.train)).toEqual([
      { ids: [2, 5, 6, 3], targets: [1] },
      { ids: [2, 7, 3], targets: [0] },
      { ids: [2, 6, 5, 8, 9, 3], targets: [1] },
    ]);
    expect(dataset.task).toEqual({ problemType: 'single_label_classification', labels: ['a', 'b'] });
    expect(dataset.train[2]!.truncatedBy).toBe(2);
    expect(codes(dataset)).toEqual(['truncated@3']);
    expect(dataset.stats).toMatchObject({ examples: 3, targetTokens: 3, truncated: 1 });
  });

  test('uses the special tokens of a decoder’s tokeniser', () => {
    const api = apiWith(tokenizerFiles(STORIES), 'a.jsonl', jsonl(rows));
    const { train } = api.tokenize(section(), CLASSES, 64, 1);
    expect([...train[0]!.ids]).toEqual([...api.encodeTexts(['one two'], 64)[0]!]);
    expect(api.decode(train[0]!.ids)).toBe('one two');
  });

  test('supports numbers to predict and several labels', () => {
    const numbers = jsonl([
      { text: 'one', stars: 0.5 },
      { text: 'two', stars: 3 },
    ]);
    const regression = apiWith(bert, 'a.jsonl', numbers).tokenize(section(), CLASSES, 64, 1);
    expect(regression.task).toEqual({ problemType: 'regression', labels: ['stars'] });
    expect(plain(regression.train).map((e) => e.targets)).toEqual([[0.5], [3]]);
    const lists = jsonl([
      { text: 'one', labels: ['x', 'y'] },
      { text: 'two', labels: [] },
    ]);
    const several = apiWith(bert, 'a.jsonl', lists).tokenize(section(), CLASSES, 64, 1);
    expect(several.task).toEqual({ problemType: 'multi_label_classification', labels: ['x', 'y'] });
    expect(plain(several.train).map((e) => e.targets)).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  test('has every class on both sides, keeps copies together and reports contradicting labels', () => {
    const many = Array.from({ length: 40 }, (_, i) => ({
      text: `one two ${i}`,
      label: i % 8 === 0 ? 'rare' : 'usual',
    }));
    many[9] = { text: 'one two 8', label: 'usual' };
    const api = apiWith(bert, 'a.jsonl', jsonl(many));
    const dataset = api.tokenize(section({ validation_split: 0.2 }), CLASSES, 64, 3);
    const held = (list: TokenizedExample[]) => new Set(allOf('text_targets', list).map((e) => e.targets[0]));
    expect(held(dataset.validation)).toEqual(new Set([0, 1]));
    expect(held(dataset.train)).toEqual(new Set([0, 1]));
    expect(dataset.validation).toHaveLength(8);
    expect(codes(dataset)).toEqual(['contradicting_labels@10']);
    const side = (row: number) => dataset.train.some((e) => e.row === row);
    expect(side(9)).toBe(side(10));
  });

  test('holds out nothing if every class has only one example', () => {
    const single = jsonl(['a', 'b', 'c'].map((label) => ({ text: `one ${label}`, label })));
    const dataset = apiWith(bert, 'a.jsonl', single).tokenize(section({ validation_split: 0.3 }), CLASSES, 64, 1);
    expect(dataset.validation).toEqual([]);
    expect(codes(dataset)).toEqual(['no_validation']);
    expect(dataset.problems[0]!.message).toContain('Every label occurs once');
  });

  test('drops texts without tokens and unusable labels', () => {
    const odd = [...rows, { text: '\u200b', label: 'a' }];
    const dataset = apiWith(bert, 'a.jsonl', jsonl(odd)).tokenize(section(), CLASSES, 64, 1);
    expect(codes(dataset)).toEqual(['all_labels_masked@4']);
    expect(dataset.train).toHaveLength(3);
    const asked = { type: 'sequence_classification', problem_type: 'regression' } as const;
    const mixed = jsonl([...rows, { text: 'four', label: '7' }]);
    const numbers = apiWith(bert, 'a.jsonl', mixed).tokenize(section(), asked, 64, 1);
    expect(codes(numbers)).toEqual(['not_a_number@1', 'not_a_number@2', 'not_a_number@3']);
    expect(plain(numbers.train).map((e) => e.targets)).toEqual([[7]]);
  });

  test('refuses a dataset without labels and says what to do', () => {
    const error = errorOf(() => apiWith(bert, 'a.txt', 'Just text.').tokenize(section(), CLASSES, 64, 1));
    expect(error).toMatchObject({ code: 'bad_data', where: 'a.txt' });
    expect(error.action).toContain('label');
  });

  test('encodes again for another objective, but not for another problem type', () => {
    const api = apiWith(bert, 'a.jsonl', jsonl(rows));
    const ids = (objective: ObjectiveSection) => plain(api.tokenize(section(), objective, 64, 1).train)[0]!.ids;
    expect(ids(CLASSES)).toEqual([2, 5, 6, 3]);
    expect(ids({ ...CLASSES, problem_type: 'multi_label_classification' })).toEqual([2, 5, 6, 3]);
    expect(ids(SFT)).not.toEqual([2, 5, 6, 3]);
    expect(ids(CLASSES)).toEqual([2, 5, 6, 3]);
  });
});

describe('token classification', () => {
  const rows = [
    { tokens: ['One', 'ones', 'two'], tags: ['B-X', 'O', 'O'] },
    { tokens: ['three', 'four', 'five', 'one'], tags: ['O', 'B-X', 'I-X', 'O'] },
  ];

  test('assigns the label of a word to its first token', () => {
    const dataset = apiWith(bert, 'a.jsonl', jsonl(rows)).tokenize(section({ max_length: 5 }), TAGS, 64, 1);
    expect(dataset.task).toEqual({ problemType: 'token_classification', labels: ['B-X', 'I-X', 'O'] });
    expect(plain(dataset.train)).toEqual([
      // "ones" is two tokens, and "two" is truncated.
      { ids: [2, 5, 5, 10, 3], labels: [X, 0, 2, X, X] },
      { ids: [2, 7, 8, 9, 3], labels: [X, 2, 0, 1, X] },
    ]);
    expect(dataset.train.map((e) => e.truncatedBy)).toEqual([1, 1]);
    expect(dataset.stats.targetTokens).toBe(7);
  });

  test('sorts numeric tags numerically', () => {
    const numbers = rows.map(({ tokens, tags }) => ({ tokens, tags: tags.map((t) => (t === 'O' ? 10 : 9)) }));
    const { task } = apiWith(bert, 'a.jsonl', jsonl(numbers)).tokenize(section(), TAGS, 64, 1);
    expect(task!.labels).toEqual(['9', '10']);
  });

  test('refuses a dataset without tags', () => {
    const text = jsonl([{ text: 'one', label: 'a' }]);
    expect(errorOf(() => apiWith(bert, 'a.jsonl', text).tokenize(section(), TAGS, 64, 1)).action).toContain('CoNLL');
  });

  test('reads a CoNLL file', () => {
    const api = apiWith(bert, 'a.conll', 'One B-X\ntwo O\n\nthree O\nfour B-X\n');
    expect(plain(api.tokenize(section(), TAGS, 64, 1).train)).toEqual([
      { ids: [2, 5, 6, 3], labels: [X, 0, 1, X] },
      { ids: [2, 7, 8, 3], labels: [X, 1, 0, X] },
    ]);
  });
});

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

describe('the view of one example', () => {
  test('has its label, and shows what is truncated before the last special token', () => {
    const api = apiWith(bert, 'a.jsonl', jsonl([{ text: 'one two three', label: 'b' }]));
    const view = api.viewTokens(1, section(), CLASSES, 4);
    expect(view).toMatchObject({ row: 1, rendered: 'one two three', label: 'b' });
    expect(view.tokens.map((t) => [t.text, t.cut, t.trained])).toEqual([
      ['[CLS]', false, false],
      ['one', false, false],
      ['two', false, false],
      ['three', true, false],
      ['[SEP]', false, false],
    ]);
  });

  test('has tags on tokens', () => {
    const api = apiWith(bert, 'a.conll', 'ones B-X\ntwo O\n');
    const { tokens, label } = api.viewTokens(1, section(), TAGS, 64);
    expect(label).toBeUndefined();
    expect(tokens.map((t) => [t.text, t.tag])).toEqual([
      ['[CLS]', undefined],
      ['one', 'B-X'],
      ['##s', undefined],
      ['two', 'O'],
      ['[SEP]', undefined],
    ]);
    expect(tokens.map((t) => t.trained)).toEqual([false, true, false, true, false]);
  });

  test('shows what may be masked, and never truncates for masked_lm', () => {
    const api = apiWith(bert, 'a.txt', 'one two three four');
    const { tokens } = api.viewTokens(1, section(), MASKED, 4);
    expect(tokens.map((t) => t.trained)).toEqual([false, true, true, true, true, false]);
    expect(tokens.some((t) => t.cut)).toBe(false);
  });

  test('fails for a row without a label', () => {
    const error = errorOf(() => apiWith(bert, 'a.txt', 'one two').viewTokens(1, section(), CLASSES, 64));
    expect(error).toMatchObject({ code: 'bad_data', where: 'row 1' });
  });
});

describe('a text to classify', () => {
  const api = createDataApi();
  api.openTokenizer(bert);

  test('is encoded and truncated like the examples', () => {
    const found = api.encodeForTask('one two three four', 5);
    expect([...found.ids]).toEqual([2, 5, 6, 7, 3]);
    expect(found.words).toBeNull();
  });

  test('has word indices on the first tokens of words', () => {
    const { ids, words } = api.encodeForTask(['ones', 'two', 'three'], 5);
    expect([...ids]).toEqual([2, 5, 10, 6, 3]);
    expect([...words!]).toEqual([-1, 0, -1, 1, -1]);
  });
});

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
