import { gzipSync, strToU8, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { readContainer } from '../../../src/data/containers';
import { openDataset } from '../../../src/data/parse';
import { readTable } from '../../../src/data/read-table';
import { editDataset } from '../../../src/workers/data/edit-dataset';
import { createDataApi } from '../../../src/workers/data/service';
import { fixtureBytes, fixtureJson } from '../../fixture-files';
import { codes, utf8 } from './helpers';

const AUTO = { format: 'auto', columns: null } as const;
const open = (name: string, bytes: Uint8Array, table: string | null = null) =>
  readContainer(name, bytes, { ...AUTO, table });
const values = async (name: string, bytes: Uint8Array, table: string | null = null) =>
  (await open(name, bytes, table)).rows.map((r) => ({ ...(r.value as object) }));
const refusal = async (name: string, bytes: Uint8Array, table: string | null = null): Promise<TabtuneError> => {
  try {
    await open(name, bytes, table);
  } catch (error) {
    if (error instanceof TabtuneError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
};
const A = { prompt: 'a', completion: 'b' };
const B = { prompt: 'c', completion: 'd' };
const jsonl = (...rows: unknown[]) => utf8(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const zip = (files: Record<string, Uint8Array>) => zipSync(files);

describe('Parquet', () => {
  test.each(['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4', 'plain-v2'])(
    '%s: the rows that pyarrow reads',
    async (codec) => {
      const table = await open('a.parquet', await fixtureBytes(`tables/${codec}.parquet`));
      expect(table.rows.map((r) => r.value)).toEqual(await fixtureJson('tables/rows.json'));
      expect(table).toMatchObject({ fileType: 'parquet', totalRows: 8, readOnly: true, problems: [] });
    },
  );

  test('names of classes are filled in, over several row groups', async () => {
    const table = await open('a.parquet', await fixtureBytes('tables/class-names.parquet'));
    expect(table.rows.map((r) => (r.value as { label: string }).label)).toEqual([
      'neg',
      'pos',
      'neg',
      'pos',
      'neg',
      'pos',
      'neg',
      'pos',
    ]);
    expect(codes(table)).toEqual(['class_names']);
  });

  test('bytes are dropped and said, an empty file and a broken one are refused', async () => {
    const table = await open('a.parquet', await fixtureBytes('tables/images.parquet'));
    expect(codes(table)).toEqual(['binary_column']);
    expect(table.rows[0]!.value).toEqual({ text: 'one', image: { bytes: null, path: 'a.png' } });
    expect((await refusal('a.parquet', await fixtureBytes('tables/empty.parquet'))).message).toContain('no rows');
    const whole = await fixtureBytes('tables/snappy.parquet');
    for (const broken of [
      whole.slice(0, 500),
      whole.map((b, i) => (i > 100 && i < 400 ? b ^ 0x5a : b)),
      utf8('PAR1oops'),
    ]) {
      expect((await refusal('a.parquet', broken)).message).toContain('Parquet');
    }
  });

  test('is recognised by its contents, whatever its name', async () => {
    expect((await open('data.csv', await fixtureBytes('tables/zstd.parquet'))).fileType).toBe('parquet');
  });
});

/** A workbook as Excel writes it, without what no reader needs. */
function workbook(sheets: Record<string, (string | number | boolean | null)[][]>): Uint8Array {
  const cell = (value: string | number | boolean | null, column: number, row: number) => {
    const at = `${String.fromCharCode(65 + column)}${row + 1}`;
    if (value === null) return '';
    if (typeof value === 'number') return `<c r="${at}"><v>${value}</v></c>`;
    if (typeof value === 'boolean') return `<c r="${at}" t="b"><v>${value ? 1 : 0}</v></c>`;
    if (value.startsWith('#')) return `<c r="${at}" t="e"><v>${value}</v></c>`;
    return `<c r="${at}" t="inlineStr"><is><t xml:space="preserve">${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</t></is></c>`;
  };
  const names = Object.keys(sheets);
  const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const files: Record<string, Uint8Array> = {
    'xl/workbook.xml': strToU8(
      `${head}<workbook xmlns="${main}" xmlns:r="${relations}"><sheets>${names.map((name, i) => `<sheet name="${name}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`).join('')}</sheets></workbook>`,
    ),
    'xl/_rels/workbook.xml.rels': strToU8(
      `${head}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${names.map((_, i) => `<Relationship Id="rId${i + 1}" Type="${relations}/worksheet" Target="worksheets/sheet${i + 1}.xml"/>`).join('')}</Relationships>`,
    ),
    '[Content_Types].xml': strToU8(
      `${head}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
    ),
  };
  names.forEach((name, i) => {
    const rows = sheets[name]!.map(
      (row, r) => `<row r="${r + 1}">${row.map((value, c) => cell(value, c, r)).join('')}</row>`,
    );
    files[`xl/worksheets/sheet${i + 1}.xml`] = strToU8(
      `${head}<worksheet xmlns="${main}"><sheetData>${rows.join('')}</sheetData></worksheet>`,
    );
  });
  return zipSync(files);
}

describe('Excel workbooks', () => {
  const rows = [
    ['question', 'answer', 'n'],
    ['What is 0 & 1?', ' It is <0>.\nYes. ', 1],
    ['What is 2?', 'It is 2.', 2.5],
    ['What is 3?', '#REF!', true],
  ];

  test('the rows of the only sheet, as text', async () => {
    const table = await open('a.xlsx', workbook({ Pairs: rows }));
    expect(table).toMatchObject({ fileType: 'xlsx', columns: ['question', 'answer', 'n'], totalRows: 3 });
    expect(table.rows.map((r) => ({ ...(r.value as object) }))).toEqual([
      { question: 'What is 0 & 1?', answer: ' It is <0>.\nYes. ', n: '1' },
      { question: 'What is 2?', answer: 'It is 2.', n: '2.5' },
      { question: 'What is 3?', answer: '', n: 'true' },
    ]);
  });

  test('is recognised by its contents, whatever its name', async () => {
    expect((await open('a.csv', workbook({ Pairs: rows }))).fileType).toBe('xlsx');
  });

  test('of several sheets the first is read and the others are named; another can be asked for', async () => {
    const bytes = workbook({
      Notes: [
        ['text', 'author'],
        ['a note', 'Ann'],
      ],
      Empty: [],
      Pairs: rows,
    });
    const table = await open('a.xlsx', bytes);
    expect(table.rows).toHaveLength(1);
    expect(table.problems[0]).toMatchObject({
      code: 'several_sheets',
      choices: [{ set: { 'dataset.table': 'Pairs' } }],
    });
    expect((await open('a.xlsx', bytes, 'Pairs')).rows).toHaveLength(3);
    const error = await refusal('a.xlsx', bytes, 'Other');
    expect(error.message).toContain('no sheet “Other”');
    expect(error.choices).toHaveLength(2);
  });

  test('sheets called train and test are one dataset', async () => {
    const found = await values('a.xlsx', workbook({ Train: rows.slice(0, 3), Test: rows.slice(0, 2) }));
    expect(found.map((row) => (row as { split?: string }).split)).toEqual(['train', 'train', 'test']);
  });

  test('a title above the header', async () => {
    const table = await open('a.xlsx', workbook({ Pairs: [['Export 2024', null, null], [], ...rows] }));
    expect(table.columns).toEqual(['question', 'answer', 'n']);
    expect(codes(table)).toContain('title_rows');
  });

  test('a damaged one is refused', async () => {
    const broken = zip({ 'xl/workbook.xml': utf8('<workbook><sheets><sheet name="a" sheetId="1" r:id="rId9"/>') });
    expect((await refusal('a.xlsx', broken)).action).toContain('CSV');
  });
});

describe('archives', () => {
  test('the dataset inside is read, and named', async () => {
    const bytes = zip({
      'data/train.jsonl': jsonl(A, B),
      'README.md': utf8('About it.'),
      '__MACOSX/._train.jsonl': utf8('x'),
    });
    const table = await open('data.zip', bytes);
    expect(table.rows.map((r) => r.value)).toEqual([A, B]);
    expect(table.problems[0]!.message).toContain('“data/train.jsonl” was read');
  });

  test('train and test files are one dataset', async () => {
    const bytes = zip({
      'train.csv': utf8('prompt,completion\na,b\nc,d\n'),
      'test.csv': utf8('prompt,completion\ne,f\n'),
    });
    expect(await values('data.zip', bytes)).toEqual([
      { ...A, split: 'train' },
      { ...B, split: 'train' },
      { prompt: 'e', completion: 'f', split: 'test' },
    ]);
  });

  test('shards are joined', async () => {
    const bytes = zip({ 'part-0.jsonl': jsonl(A), 'part-1.jsonl': jsonl(B), 'part-2.jsonl': jsonl(A, B) });
    const table = await open('data.zip', bytes);
    expect(table.rows.map((r) => r.row)).toEqual([1, 2, 3, 4]);
  });

  test('files of other shapes are asked about', async () => {
    const bytes = zip({ 'pairs.jsonl': jsonl(A, B), 'users.csv': utf8('id,email\n1,x\n2,y\n') });
    const error = await refusal('data.zip', bytes);
    expect(error.choices?.map(({ set }) => set)).toEqual([
      { 'dataset.table': 'pairs.jsonl' },
      { 'dataset.table': 'users.csv' },
    ]);
    expect(await values('data.zip', bytes, 'pairs.jsonl')).toEqual([A, B]);
    expect((await refusal('data.zip', bytes, 'x.csv')).message).toContain('no file “x.csv”');
  });

  test('texts are read together', async () => {
    const bytes = zip({ 'a.txt': utf8('One text.'), 'b.txt': utf8('Another.\n\nAnd more.') });
    expect(await values('texts.zip', bytes)).toEqual([
      { text: 'One text.' },
      { text: 'Another.' },
      { text: 'And more.' },
    ]);
  });

  test('a question inside is asked by the path through the archive', async () => {
    const bytes = zip({ 'a.json': utf8(JSON.stringify({ data: [A, B], users: [{ id: 1 }] })) });
    const error = await refusal('data.zip', bytes);
    expect(error.choices![0]!.set).toEqual({ 'dataset.table': 'a.json#data' });
    expect(await values('data.zip', bytes, 'a.json#data')).toEqual([A, B]);
  });

  test('a Parquet file and a workbook in an archive', async () => {
    expect(await values('d.zip', zip({ 'a.parquet': await fixtureBytes('tables/zstd.parquet') }))).toHaveLength(8);
    expect(
      await values(
        'd.zip',
        zip({
          'a.xlsx': workbook({
            S: [
              ['text', 'label'],
              ['a b c', 'x'],
            ],
          }),
        }),
      ),
    ).toEqual([{ text: 'a b c', label: 'x' }]);
  });

  test.each<[string, Record<string, Uint8Array>, RegExp]>([
    ['nothing of use', { 'a.png': utf8('x') }, /no dataset in it: it has “a.png”/],
    ['nothing at all', {}, /empty/],
    ['a Word document', { '[Content_Types].xml': utf8('x'), 'word/document.xml': utf8('x') }, /Word document/],
    ['an OpenDocument sheet', { mimetype: utf8('x'), 'content.xml': utf8('x') }, /OpenDocument/],
    ['a Numbers document', { 'Index/Document.iwa': utf8('x') }, /Numbers/],
    ['a path outside', { '../a.jsonl': jsonl(A) }, /leaves its folder/],
  ])('%s is refused', async (_name, files, words) => {
    expect((await refusal('data.zip', zip(files))).message).toMatch(words);
  });

  test('.gz, also in a zip, and what is wrong inside is said of the file inside', async () => {
    expect(await values('a.jsonl.gz', gzipSync(jsonl(A, B)))).toEqual([A, B]);
    expect(await values('a.zip', zip({ 'a.jsonl.gz': gzipSync(jsonl(A)) }))).toEqual([A]);
    expect((await refusal('a.jsonl.gz', gzipSync(utf8('{“a”: 1}\n')))).where).toBe('a.jsonl, line 1');
    expect((await refusal('a.zip', zip({ 'b.jsonl': utf8('{“a”: 1}\n') }))).where).toBe('a.zip, b.jsonl, line 1');
    expect((await refusal('a.gz', gzipSync(jsonl(A)).slice(0, 20))).message).toContain('damaged');
    const tar = new Uint8Array(1024);
    tar.set(utf8('ustar'), 257);
    expect((await refusal('a.tar.gz', gzipSync(tar))).message).toContain('tar archive');
  });

  test('.zst', async () => {
    // A frame with one raw block (RFC 8878).
    const hex = '28b52ffd2023190100' + '7b2270726f6d7074223a202261222c2022636f6d706c6574696f6e223a202262227d0a';
    const bytes = Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));
    expect(await values('a.jsonl.zst', bytes)).toEqual([A]);
    expect((await refusal('a.zst', bytes.slice(0, 12))).message).toContain('damaged');
  });

  test('a file of a few kilobytes that stands for gigabytes is not unpacked', async () => {
    const zeros = new Uint8Array(64 * 2 ** 20);
    const member = gzipSync(zeros, { level: 9 });
    const bomb = new Uint8Array(member.length * 7);
    for (let i = 0; i < 7; i++) bomb.set(member, i * member.length);
    expect((await refusal('a.gz', bomb)).message).toMatch(/unpacks to more than 400 MB|damaged/);
  }, 60_000);
});

describe('the data worker', () => {
  test('opens text at once and other files in a moment; the last one asked for counts', async () => {
    const api = createDataApi();
    const first = api.parse('a.jsonl.gz', gzipSync(jsonl(A, B)).slice().buffer, AUTO);
    const second = api.parse('b.jsonl', jsonl(A, B, A).slice().buffer, AUTO);
    expect(first).toBeInstanceOf(Promise);
    expect(second).not.toBeInstanceOf(Promise);
    expect((await first).examples).toHaveLength(2);
    expect(() => api.viewTokens(3, {} as never, {} as never, 10)).toThrow(/No model/);
  });

  test('rows of files that cannot be written back are not edited', () => {
    const bytes = gzipSync(jsonl(A, B));
    expect(() =>
      editDataset('a.jsonl.gz', bytes.slice().buffer, AUTO, { kind: 'cells', row: 1, fields: { prompt: 'x' } }),
    ).toThrow(/cannot be edited/);
    const titled = utf8('Export,,\nid,prompt,completion\n0,a,b\n1,c,d\n');
    expect(() =>
      editDataset('a.csv', titled.slice().buffer, AUTO, { kind: 'cells', row: 1, fields: { prompt: 'x' } }),
    ).toThrow(/cannot be edited/);
  });

  test('a file in an old encoding is UTF-8 after an edit, whatever the recipe says', () => {
    const old = Uint8Array.from([...utf8('prompt,completion\na,'), 0xcf, 0xe5, 0xf0, ...utf8('\nb,c\n')]);
    const section = { ...AUTO, encoding: 'windows-1251' };
    const edited = editDataset('a.csv', old.slice().buffer, section, {
      kind: 'cells',
      row: 2,
      fields: { completion: 'Да' },
    });
    const { rows } = readTable('a.csv', new Uint8Array(edited), section);
    expect(rows.map((r) => (r.value as { completion: string }).completion)).toEqual(['Пер', 'Да']);
  });

  test('datasets of every kind give examples', async () => {
    const dataset = await openDataset('a.zip', zip({ 'a.jsonl': jsonl(A, B) }), AUTO);
    expect(dataset.examples).toHaveLength(2);
    expect(dataset).toMatchObject({ leftOut: 0, readOnly: true, encoding: { name: 'utf-8', sample: '' } });
  });
});
