import { describe, expect, test } from 'vitest';
import { parseJsonOrJsonl } from '../../../src/data/parse-jsonl';
import { codes, errorOf } from './helpers';

const read = (value: unknown, wanted: string | null = null, name = 'a.json') =>
  parseJsonOrJsonl(name, typeof value === 'string' ? value : JSON.stringify(value), wanted);
const rows = (value: unknown, wanted: string | null = null, name = 'a.json') =>
  read(value, wanted, name).rows.map((r) => ({ ...(r.value as object) }));
const A = { prompt: 'a', completion: 'b' };
const B = { prompt: 'c', completion: 'd' };

describe('JSON that is not quite a document', () => {
  test('pretty-printed objects one after another', () => {
    const text = [A, B].map((row) => JSON.stringify(row, null, 2)).join('\n');
    for (const name of ['a.jsonl', 'a.json']) expect(rows(text, null, name)).toEqual([A, B]);
    expect(rows([A, B].map((row) => JSON.stringify(row, null, 2)).join(',\n'))).toEqual([A, B]);
  });

  test('a broken one among them is left out and named', () => {
    const text = [A, B, A]
      .map((row) => JSON.stringify(row, null, 2))
      .join('\n')
      .replace('"c"', '"c');
    const table = read(text, null, 'a.jsonl');
    expect(table.rows.map((r) => r.value)).toEqual([A, A]);
    expect(table.totalRows).toBe(3);
    expect(codes(table)).toEqual(['broken_line@2']);
    expect(table.problems[0]!.message).toMatch(/line 7|line 6/);
  });

  test('documents glued together', () => {
    expect(rows(`${JSON.stringify([A])}${JSON.stringify([B])}`)).toEqual([A, B]);
    expect(rows(`${JSON.stringify(A)}${JSON.stringify(B)}`)).toEqual([A, B]);
    expect(rows(`${JSON.stringify([A, B], null, 1)}\n${JSON.stringify([A], null, 1)}`)).toEqual([A, B, A]);
  });

  test('encoded twice', () => {
    const once = JSON.stringify([A, B]);
    const table = read(JSON.stringify(once));
    expect(table.rows.map((r) => r.value)).toEqual([A, B]);
    expect(codes(table)).toEqual(['double_encoded']);
    const lines = `${JSON.stringify(JSON.stringify(A))}\n${JSON.stringify(JSON.stringify(B))}\n`;
    expect(rows(lines, null, 'a.jsonl')).toEqual([A, B]);
    expect(rows([JSON.stringify(A), JSON.stringify(B)])).toEqual([A, B]);
    expect(rows(['a text', 'another'])).toEqual([{ text: 'a text' }, { text: 'another' }]);
  });

  test.each<[string, string, RegExp]>([
    [
      'trailing commas',
      '[{"prompt": "a", "completion": "b",},\n{"prompt": "c", "completion": "d"},]',
      /commas after the last value/,
    ],
    [
      'comments',
      '[ // rows\n{"prompt": "a", "completion": "b"}, /* two */\n{"prompt": "c", "completion": "d"}]',
      /comments/,
    ],
    ['Python’s print', "[{'prompt': 'a', 'completion': 'b'},\n {'prompt': 'c', 'completion': 'd'}]", /single quotes/],
  ])('%s are read and said', (_name, text, words) => {
    const table = read(text);
    expect(table.rows.map((r) => r.value)).toEqual([A, B]);
    expect(table.problems.map((p) => p.message).join(' ')).toMatch(words);
  });

  test('a raw line break inside a text keeps it', () => {
    const text = '[{"prompt": "a\nb", "completion": "c"}]';
    expect(rows(text)).toEqual([{ prompt: 'a\nb', completion: 'c' }]);
    expect(
      rows('{"prompt": "a\nb", "completion": "c"}\n{"prompt": "d", "completion": "e"}\n', null, 'a.jsonl')[0],
    ).toEqual({ prompt: 'a\nb', completion: 'c' });
  });

  test.each<[string, string, RegExp]>([
    [
      'typographic quotes',
      '[{“prompt”: “a”, “completion”: “b”},\n{“prompt”: “c”, “completion”: “d”}]',
      /typographic quotes/,
    ],
    ['names without quotes', '[{prompt: "a", completion: "b"}]', /name in double quotes/],
    ['quotes that are not escaped', '[{"prompt": "say "hi" now", "completion": "b"}]', /quote inside a string/],
    ['backslashes', '[{"prompt": "C:\\data", "completion": "b"}]', /backslash/],
  ])('%s are named, with the line', (_name, text, words) => {
    const error = errorOf(() => read(text));
    expect(error.message).toMatch(words);
    expect(error.where).toContain('line 1');
  });
});

test('numbers keep their digits', () => {
  const lines = Array.from(
    { length: 3 },
    (_, i) => `{"prompt":"2^60+${i}?","completion":${1152921504606846976n + BigInt(i)}}`,
  );
  expect(rows(lines.join('\n'), null, 'a.jsonl').map((row) => (row as { completion?: unknown }).completion)).toEqual([
    '1152921504606846976',
    '1152921504606846977',
    '1152921504606846978',
  ]);
});

test('a document that is nested too deeply is refused in a sentence', () => {
  const deep = `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`;
  expect(errorOf(() => read(deep)).message).toContain('levels deep');
  expect(errorOf(() => read(`${'['.repeat(100_000)}`)).code).toBe('bad_data');
});
