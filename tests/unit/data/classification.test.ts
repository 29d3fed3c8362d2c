/** What the classification objectives turn a dataset into: ids, class ids and labels of tokens. */
import { describe, expect, test } from 'vitest';
import type { TokenizedExample } from '../../../src/data/types';
import type { ObjectiveSection } from '../../../src/recipe/types';
import { createDataApi } from '../../../src/workers/data/service';
import { allOf, apiWith, codes, errorOf, jsonl, STORIES, section, tokenizerFiles } from './helpers';
import { bert, CLASSES, plain, SFT, TAGS, X } from './objectives';

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
