import { describe, expect, test } from 'vitest';
import { apiWith, errorOf, jsonl, section } from './helpers';
import { bert, CLASSES, MASKED, TAGS } from './objectives';

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
