import { describe, expect, test } from 'vitest';
import { sniffDelimiter } from '../../../src/data/csv-dialect';
import { hasHeader } from '../../../src/data/csv-header';
import { parseCsv } from '../../../src/data/parse-csv';
import { parseJsonl, parseJsonOrJsonl, splitLines } from '../../../src/data/parse-jsonl';
import { PASSAGE_CHARS, parseText } from '../../../src/data/parse-text';
import { LIMIT_PER_CODE } from '../../../src/data/problems';
import { codes, errorOf } from './helpers';

const GOOD = '{"prompt": "a", "completion": "b"}';

describe('JSON Lines', () => {
  test.each([
    ['LF', `${GOOD}\n${GOOD}\n`],
    ['CRLF', `${GOOD}\r\n${GOOD}\r\n`],
    ['CR', `${GOOD}\r${GOOD}\r`],
    ['no line end at the end', `${GOOD}\n${GOOD}`],
  ])('%s', (_name, text) => {
    const table = parseJsonOrJsonl('a.jsonl', text);
    expect(table.rows.map((r) => r.row)).toEqual([1, 2]);
    expect(table.problems).toEqual([]);
  });

  test('lines are numbered correctly with mixed line ends and blank lines', () => {
    const lines = [...splitLines('a\r\nb\rc\n\nd')];
    expect(lines).toEqual(['a', 'b', 'c', '', 'd'].map((content, i) => ({ line: i + 1, content })));
  });

  test.each([
    ['truncated', '{"prompt": "a", "compl', 'ends before it is complete'],
    ['bad escape', '{"prompt": "C:\\data"}', 'backslash'],
    ['unescaped quote', '{"prompt": "he said "hi" to me"}', 'a comma is missing, or a quote'],
    ['plain words', 'hello', 'does not belong there'],
    ['typographic quotes', '{“prompt”: “a”}', 'typographic quotes'],
  ])('a broken line affects only itself: %s', (_name, bad, words) => {
    const table = parseJsonOrJsonl('a.jsonl', `${GOOD}\n${bad}\n${GOOD}\n${GOOD}\n`);
    expect(table.rows.map((r) => r.row)).toEqual([1, 3, 4]);
    expect(table.totalRows).toBe(4);
    expect(codes(table)).toEqual(['broken_line@2']);
    expect(table.problems[0]!.message).toContain('Line 2');
    expect(table.problems[0]!.message).toContain(words);
    expect(table.problems[0]).toMatchObject({ severity: 'error', dropped: true });
  });

  test.each<[string, string, unknown, string]>([
    ['comma before the brace', '{"prompt": "a",}', { prompt: 'a' }, 'commas after the last value'],
    ['single quotes', "{'prompt': 'it\\'s'}", { prompt: "it's" }, 'single quotes'],
    ['Python’s words', '{"prompt": None, "b": True}', { prompt: null, b: true }, 'None, True or False'],
    ['NaN', '{"prompt": NaN, "b": -Infinity}', { prompt: null, b: null }, 'NaN'],
    ['raw tab in a text', '{"prompt": "a\tb"}', { prompt: 'a\tb' }, 'raw line breaks or tabs'],
  ])('slips that change nothing are read, and said: %s', (_name, line, value, words) => {
    const table = parseJsonOrJsonl('a.jsonl', `${GOOD}\n${line}\n${GOOD}\n`);
    expect(table.rows[1]).toEqual({ row: 2, value });
    expect(codes(table)).toEqual(['loose_json@2']);
    expect(table.problems[0]!.message).toContain(words);
  });

  test('a comment is no row', () => {
    const table = parseJsonOrJsonl('a.jsonl', `// prompts\n${GOOD}\n${GOOD}\n`);
    expect(table.rows.map((r) => r.row)).toEqual([2, 3]);
    expect(table.totalRows).toBe(2);
    expect(codes(table)).toEqual(['comment@1']);
  });

  test('a comma at the end of a line is accepted with a warning', () => {
    const table = parseJsonOrJsonl('a.jsonl', `${GOOD},\n${GOOD}\n`);
    expect(table.rows).toHaveLength(2);
    expect(codes(table)).toEqual(['trailing_comma@1']);
  });

  test('a huge broken line gives a short message', () => {
    const table = parseJsonl(`${GOOD}\n{"prompt": "${'x'.repeat(5_000_000)}\n`);
    expect(table.rows).toHaveLength(1);
    expect(table.problems[0]!.message.length).toBeLessThan(200);
  });

  test('thousands of broken lines are counted, not listed', () => {
    const table = parseJsonl([GOOD, ...Array(5000).fill('{bad')].join('\n'));
    expect(table.problems).toHaveLength(LIMIT_PER_CODE + 1);
    expect(table.problems.at(-1)!.message).toContain(`${(5000 - LIMIT_PER_CODE).toLocaleString('en')} more rows`);
  });

  test('a byte order mark inside concatenated files is ignored', () => {
    expect(parseJsonl(`${GOOD}\n\uFEFF${GOOD}`).rows).toHaveLength(2);
  });

  test('the error for a file without readable lines names the first', () => {
    const error = errorOf(() => parseJsonOrJsonl('a.jsonl', '\n{“a”: 1}\n{“b”: 2}\n'));
    expect(error.code).toBe('bad_data');
    expect(error.where).toBe('a.jsonl, line 2');
    expect(error.message).toContain('typographic quotes');
  });
});

describe('JSON', () => {
  test.each([
    ['an array', `[${GOOD}, ${GOOD}]`, 2],
    ['an array called .jsonl', `[\n${GOOD},\n${GOOD}\n]`, 2],
    ['JSONL called .json', `${GOOD}\n${GOOD}\n${GOOD}`, 3],
    ['an object containing rows', `{"version": 1, "data": [${GOOD}]}`, 1],
    ["the dataset viewer's rows", `{"rows": [{"row_idx": 0, "row": ${GOOD}}]}`, 1],
    ['columns', '{"prompt": ["a", "b"], "completion": ["c", "d"]}', 2],
    ["pandas' columns", '{"prompt": {"0": "a", "1": "b"}, "completion": {"0": "c", "1": "d"}}', 2],
    ['one object', GOOD, 1],
    ['one pretty-printed object', JSON.stringify(JSON.parse(GOOD), null, 2), 1],
  ])('%s', (_name, text, count) => {
    for (const name of ['a.json', 'a.jsonl']) {
      const table = parseJsonOrJsonl(name, text);
      expect(table.rows).toHaveLength(count);
      expect(table.columns).toEqual(['prompt', 'completion']);
    }
  });

  test('one conversation is one row', () => {
    const table = parseJsonOrJsonl('a.json', '{"messages": [{"role": "user", "content": "a"}], "label": true}');
    expect(table.rows).toHaveLength(1);
    expect(table.columns).toEqual(['messages', 'label']);
  });

  test('an array of texts and an array of conversations', () => {
    expect(parseJsonOrJsonl('a.json', '["one", "two"]').columns).toEqual(['text']);
    const turns = '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]';
    expect(parseJsonOrJsonl('a.json', `[${turns}, ${turns}]`).columns).toEqual(['messages']);
    expect(parseJsonOrJsonl('a.jsonl', `${turns}\n${turns}`).rows).toHaveLength(2);
  });

  test('a broken array with one element per line loses only the broken elements', () => {
    const table = parseJsonOrJsonl('a.json', `[\n${GOOD},\n{"prompt": oops},\n${GOOD},\n]`);
    expect(table.rows.map((r) => r.row)).toEqual([2, 4]);
    expect(codes(table)).toEqual(['broken_array', 'broken_line@3']);
    expect(parseJsonOrJsonl('a.json', `[${GOOD},\n${GOOD},]`).rows).toHaveLength(2);
  });

  test('the error for a broken pretty-printed array names the line', () => {
    const text = JSON.stringify([{ prompt: 'a', completion: 'b' }], null, 2).replace('"b"', '"b');
    const error = errorOf(() => parseJsonOrJsonl('a.json', text));
    expect(error).toMatchObject({ code: 'bad_data', where: 'a.json, line 4' });
    expect(error.message).toContain('raw line break');
  });

  test.each([
    ['an empty array', '[]', 'empty list'],
    ['an object without rows', '{"a": 1}', 'No list of examples'],
  ])('%s', (_name, text, words) => {
    expect(errorOf(() => parseJsonOrJsonl('a.json', text)).message).toContain(words);
  });
});

describe('CSV', () => {
  test.each([
    ['comma', 'question,answer\nWhat?,"Yes, it is"\n', ',', 'csv'],
    ['semicolon', 'question;answer\nWhat, when?;Now, here\n', ';', 'csv'],
    ['tab', 'question\tanswer\nWhat, when?\tNow\n', '\t', 'tsv'],
    ['pipe', 'question|answer\nWhat?|Now\n', '|', 'csv'],
  ])('%s', (_name, text, delimiter, fileType) => {
    expect(sniffDelimiter(text)).toBe(delimiter);
    const table = parseCsv('a.csv', text);
    expect(table).toMatchObject({ fileType, columns: ['question', 'answer'], totalRows: 1 });
  });

  test('semicolons separate where every row has one comma too, but not the names', () => {
    const rows = Array.from({ length: 100 }, (_, i) => `${i};Where is it, please?;"On its way; it arrives soon"`);
    const table = parseCsv('a.csv', ['Nr.;What they wrote;Our reply', ...rows].join('\r\n'));
    expect(table).toMatchObject({ columns: ['Nr.', 'What they wrote', 'Our reply'], totalRows: 100 });
  });

  test('cells may contain quotes and line breaks, and lines may end with CRLF', () => {
    const table = parseCsv('a.csv', 'prompt,completion\r\n"He said ""hi""","two\r\nlines"\r\nx,y\r\n\r\n');
    expect(table.rows.map((r) => ({ ...(r.value as object) }))).toEqual([
      { prompt: 'He said "hi"', completion: 'two\r\nlines' },
      { prompt: 'x', completion: 'y' },
    ]);
    expect(table.problems).toEqual([]);
  });

  test.each<[string, string[][], boolean]>([
    [
      'known names',
      [
        ['Text', 'Label'],
        ['good', 'pos'],
      ],
      true,
    ],
    [
      'AG News',
      [
        ['3', 'Wall St. Bears', 'Short-sellers, seen as cynics'],
        ['4', 'Carlyle', 'Private firm'],
      ],
      false,
    ],
    [
      'a class that occurs again below',
      [
        ['ham', 'Go until jurong point'],
        ['spam', 'Free entry in'],
        ['ham', 'Ok lar'],
      ],
      false,
    ],
    [
      'unknown names above long cells',
      [
        ['Frage', 'Antwort'],
        ['Wie spät ist es denn?', 'Es ist schon zehn Uhr.'],
      ],
      true,
    ],
    [
      'a word above numbers',
      [
        ['Satz', 'Klasse'],
        ['gut', '1'],
        ['schlecht', '0'],
      ],
      true,
    ],
    [
      'two sentences',
      [
        ['Is it late?', 'It is ten.'],
        ['Is it early?', 'It is six.'],
      ],
      false,
    ],
  ])('header: %s', (_name, records, expected) => {
    expect(hasHeader(records)).toBe(expected);
  });

  test('no row is lost if there is no header', () => {
    const table = parseCsv('a.csv', '"3","A title","Some longer text here"\n"4","Other","And some more of it"\n');
    expect(table.columns).toEqual(['column_1', 'column_2', 'column_3']);
    expect(table.rows).toHaveLength(2);
    expect(codes(table)).toEqual(['no_header']);
  });

  test('a file with only a header is refused', () => {
    const error = errorOf(() => parseCsv('a.csv', 'prompt,completion\n'));
    expect(error).toMatchObject({ code: 'bad_data', where: 'a.csv' });
    expect(error.message).toContain('header but no rows');
  });

  test('blank, repeated and reserved names are changed', () => {
    const table = parseCsv('a.csv', 'text,,text,__proto__,constructor\na,b,c,d,e\n');
    expect(table.columns).toEqual(['text', 'column_2', 'text_2', 'column_4', 'constructor']);
    expect(codes(table)).toEqual(['renamed_columns']);
    const value = table.rows[0]!.value as Record<string, string>;
    expect(value.constructor).toBe('e');
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(({} as { d?: string }).d).toBeUndefined();
  });

  test('rows with too many cells are dropped, rows with too few are kept', () => {
    const table = parseCsv('a.csv', 'prompt,completion\na,b\nno quotes, here,c\nd\ne,f,,\n');
    expect(table.rows.map((r) => r.row)).toEqual([1, 3, 4]);
    expect(codes(table)).toEqual(['ragged_row@2', 'short_row@3']);
    expect(table.problems[0]!.message).toContain('line 3');
  });

  test('a quote that is never closed is text, and loses no row', () => {
    const table = parseCsv('a.csv', 'prompt,completion\na,b\n"open,c\nd,e\nf,g\n');
    expect(codes(table)).toEqual(['unclosed_quote']);
    expect(table.problems[0]!.message).toContain('Line 3');
    expect(table.rows.map((r) => (r.value as { prompt: string }).prompt)).toEqual(['a', '"open', 'd', 'f']);
  });

  test('also on the last line', () => {
    const table = parseCsv('a.csv', 'prompt,completion\na,b\nc,"open');
    expect(table.rows).toHaveLength(2);
    expect(codes(table)).toEqual(['unclosed_quote']);
  });
});

describe('text', () => {
  test('is split at blank lines, but headings stay with what follows and code stays whole', () => {
    const table = parseText('# Title\n\nFirst part.\nSecond line.\r\n\r\n```js\na\n\nb\n```\n\nLast.\n');
    expect(table.rows.map((r) => (r.value as { text: string }).text)).toEqual([
      '# Title\n\nFirst part.\nSecond line.',
      '```js\na\n\nb\n```',
      'Last.',
    ]);
  });

  test('is also split at sentence ends if a passage is very long, without losing anything', () => {
    const sentence = 'The quick brown fox jumps over the lazy dog. ';
    const text = sentence.repeat(300).trim();
    const parts = parseText(text).rows.map((r) => (r.value as { text: string }).text);
    expect(parts.length).toBeGreaterThan(5);
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(PASSAGE_CHARS);
      expect(part.endsWith('.')).toBe(true);
    }
    expect(parts.join(' ')).toBe(text);
  });

  test('is never split inside a surrogate pair', () => {
    for (const { value } of parseText('😀'.repeat(3001)).rows) {
      expect((value as { text: string }).text.replaceAll('😀', '')).toBe('');
    }
  });
});
