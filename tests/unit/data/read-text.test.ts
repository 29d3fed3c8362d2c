import { describe, expect, test } from 'vitest';
import { readText } from '../../../src/data/read-text';
import { firstInvalidUtf8 } from '../../../src/data/utf8';
import { errorOf, utf8 } from './helpers';

const utf16 = (text: string, bom: boolean, bigEndian = false) => {
  const units = [...(bom ? '\uFEFF' : ''), ...text].flatMap((c) => c.split('').map((u) => u.charCodeAt(0)));
  return Uint8Array.from(units.flatMap((u) => (bigEndian ? [u >> 8, u & 255] : [u & 255, u >> 8])));
};
const LINE = '{"prompt": "Grüße", "completion": "ok"}\n';

describe('encodings', () => {
  test.each([
    ['UTF-8', utf8(LINE)],
    ['UTF-8 with a byte order mark', utf8(`\uFEFF${LINE}`)],
    ['UTF-16 LE with a byte order mark', utf16(LINE, true)],
    ['UTF-16 BE with a byte order mark', utf16(LINE, true, true)],
    ['UTF-16 LE without a byte order mark', utf16(LINE, false)],
    ['UTF-16 BE without a byte order mark', utf16(LINE, false, true)],
  ])('%s', (_name, bytes) => {
    expect(readText('a.jsonl', bytes)).toMatchObject({ text: LINE, problems: [] });
  });

  test('Windows-1252 is read with a warning that gives the byte and its line', () => {
    const bytes = Uint8Array.from([...utf8('a,b\nx,Gr'), 0xfc, 0xdf, ...utf8('e\n')]);
    const { text, problems } = readText('old.csv', bytes);
    expect(text).toBe('a,b\nx,Grüße\n');
    expect(problems).toHaveLength(1);
    expect(problems[0]!.code).toBe('not_utf8');
    expect(problems[0]!.message).toContain('0xfc on line 2 (byte 8)');
  });

  test('UTF-8 cut off in the middle of a character is still read as UTF-8', () => {
    const { text, problems } = readText('cut.txt', utf8('Grüße aus Köln, größte Stadt ü').slice(0, -1));
    expect(text).toBe('Grüße aus Köln, größte Stadt \uFFFD');
    expect(problems.map((p) => p.code)).toEqual(['not_utf8']);
  });

  test('UTF-16 with an odd byte at the end is read with a warning', () => {
    const bytes = Uint8Array.from([...utf16('abc', true), 100]);
    const { text, problems } = readText('a.txt', bytes);
    expect(text).toBe('abc');
    expect(problems.map((p) => p.code)).toEqual(['truncated_file']);
  });

  test('NUL bytes are removed with a warning', () => {
    const { text, problems } = readText('a.txt', utf8('one\0two and three\0'));
    expect(text).toBe('onetwo and three');
    expect(problems[0]).toMatchObject({ code: 'nul_bytes', dropped: false });
    expect(problems[0]!.message).toContain('2 NUL bytes');
  });

  test('joined emoji and right-to-left marks are unchanged', () => {
    const text = '👨‍👩‍👧‍👦 🇩🇪 e\u0301 \u202Eabc\u202C';
    expect(readText('a.txt', utf8(text)).text).toBe(text);
  });
});

describe('files that are not text', () => {
  const padded = (...magic: number[]) => Uint8Array.from([...magic, ...new Uint8Array(64)]);
  test.each([
    ['empty', new Uint8Array(0), 'empty'],
    ['only whitespace', utf8(' \n\t\r\n '), 'empty'],
    ['only a byte order mark', utf8('\uFEFF'), 'empty'],
    ['gzip', padded(0x1f, 0x8b, 8), 'gzip'],
    ['zip', padded(0x50, 0x4b, 3, 4), 'zip archive'],
    ['xls', padded(0xd0, 0xcf, 0x11, 0xe0), 'Office'],
    ['pickle', padded(0x80, 4, 0x95), 'pickle'],
    ['rtf', utf8('{\\rtf1 ...'), 'RTF'],
    ['parquet', padded(0x50, 0x41, 0x52, 0x31), 'Parquet'],
    ['pdf', utf8('%PDF-1.7 ...'), 'PDF'],
    ['png', padded(0x89, 0x50, 0x4e, 0x47), 'PNG'],
    ['other bytes', Uint8Array.from({ length: 300 }, (_, i) => (i * 7) % 32), 'not text'],
  ])('%s renamed to .csv', (_name, bytes, words) => {
    const error = errorOf(() => readText('data.csv', bytes));
    expect(error.code).toBe('bad_data');
    expect(error.where).toBe('data.csv');
    expect(error.message).toContain(words);
    expect(error.action).toBeTruthy();
  });
});

test.each([
  [[0x61, 0x80], 1],
  [[0xc3, 0xa9, 0xff], 2],
  [[0xe2, 0x82], 0],
  [[0xc0, 0x80], 0],
  [[0xed, 0xa0, 0x80], 0],
  [[0xf4, 0x90, 0x80, 0x80], 0],
  [[0xf0, 0x9f, 0x98, 0x80], 4],
])('the first invalid byte of %j is at %i', (bytes, offset) => {
  expect(firstInvalidUtf8(Uint8Array.from(bytes))).toBe(offset);
});
