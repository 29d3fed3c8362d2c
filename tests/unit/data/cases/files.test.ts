/** Text files, files that are no text, and errors that name the cause. */
import { gzipSync, zipSync } from 'fflate';
import { describe } from 'vitest';
import { asks, check, gives, jsonLines, lines, pairs, refuses, says, times } from './harness';

const ask = (i: number) => `Who built bridge ${i}?`;
const tell = (i: number) => `Mason ${i}.`;
const eight = pairs(8, ask, tell);
const utf8 = (text: string) => new TextEncoder().encode(text);
const rows = jsonLines(times(8, (i) => ({ prompt: ask(i), completion: tell(i) })));

describe('text files', () => {
  const sentence = (i: number) => `Bridge ${i} has stood for ${i + 100} years.`;
  const each = times(40, (i) => [['x', sentence(i)]] as const);
  const spam = times(
    16,
    (i) =>
      [
        ['c', `Bridge ${i} is for sale today`],
        ['l', ['ham', 'spam'][i % 2]!],
      ] as const,
  );
  check([
    {
      name: 'a sentence a line',
      file: 'a.txt',
      content: lines(...times(40, sentence)),
      ends: [gives(each), asks(/line/i, each)],
    },
    {
      name: 'label, tab, text',
      file: 'a.txt',
      content: lines(...times(16, (i) => `${['ham', 'spam'][i % 2]}\tBridge ${i} is for sale today`)),
      ends: [gives(spam), asks(/tab|column/i), says(/tab/i)],
    },
    {
      name: 'fastText',
      file: 'a.txt',
      content: lines(...times(16, (i) => `__label__${['ham', 'spam'][i % 2]} Bridge ${i} is for sale today`)),
      ends: [gives(spam), says(/__label__/), refuses(/__label__/)],
    },
    {
      name: 'User: and Assistant: lines',
      file: 'a.txt',
      content: lines(...times(8, (i) => `User: ${ask(i)}\nAssistant: ${tell(i)}`)),
      ends: [
        gives(eight),
        asks(/User|Assistant|line/),
        gives([
          times(
            8,
            (i) =>
              [
                ['u', ask(i)],
                ['a', tell(i)],
              ] as const,
          ).flat(),
        ]),
      ],
    },
    {
      name: 'Q: and A: lines',
      file: 'a.txt',
      content: lines(...times(8, (i) => `Q: ${ask(i)}\nA: ${tell(i)}\n`)),
      ends: [gives(eight), asks(/Q:|line/)],
    },
    {
      name: 'subtitles',
      file: 'a.srt',
      content: times(8, (i) => `${i + 1}\n00:00:0${i},000 --> 00:00:0${i},900\nBridge ${i} falls\n`).join('\n'),
      ends: [
        asks(/subtitle|-->/i),
        refuses(/subtitle|-->/i),
        gives(
          times(8, (i) => [['x', `Bridge ${i} falls`]] as const),
          /subtitle/i,
        ),
      ],
    },
    {
      name: 'paragraphs',
      file: 'a.txt',
      content: times(8, (i) => `${sentence(i)}\nIt is made\nof stone.\n`).join('\n'),
      ends: gives(times(8, (i) => [['x', `${sentence(i)}\nIt is made\nof stone.`]] as const)),
    },
  ]);
});

describe('files that are no text', () => {
  const sheet = zipSync({
    '[Content_Types].xml': utf8(
      '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    ),
    '_rels/.rels': utf8(
      '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    ),
    'xl/workbook.xml': utf8(
      '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Bridges" sheetId="1" r:id="rId1"/></sheets></workbook>',
    ),
    'xl/_rels/workbook.xml.rels': utf8(
      '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    ),
    'xl/worksheets/sheet1.xml': utf8(
      `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${[
        ['prompt', 'completion'],
        ...times(8, (i) => [ask(i), tell(i)]),
      ]
        .map(
          (cells, r) =>
            `<row r="${r + 1}">${cells.map((cell, c) => `<c r="${'AB'[c]}${r + 1}" t="inlineStr"><is><t>${cell}</t></is></c>`).join('')}</row>`,
        )
        .join('')}</sheetData></worksheet>`,
    ),
  });
  const saveAs = refuses(/CSV/);
  check([
    { name: 'an .xlsx sheet', file: 'bridges.xlsx', content: sheet, ends: [gives(eight), saveAs] },
    { name: 'an .xlsx sheet called .csv', file: 'bridges.csv', content: sheet, ends: [gives(eight), saveAs] },
    { name: 'an .xlsx sheet called .zip', file: 'bridges.zip', content: sheet, ends: [gives(eight), saveAs] },
    {
      name: 'a zip of one dataset',
      file: 'bridges.zip',
      content: zipSync({ 'train.jsonl': utf8(rows) }),
      ends: [gives(eight), refuses(/train\.jsonl|[Uu]npack/)],
    },
    {
      name: 'a zip of a dataset in a folder, with a README',
      file: 'bridges.zip',
      content: zipSync({ 'bridges/README.md': utf8('# Bridges'), 'bridges/train.jsonl': utf8(rows) }),
      ends: [gives(eight), asks(/train\.jsonl/), refuses(/[Uu]npack|train\.jsonl/)],
    },
    {
      name: 'a zip of two datasets',
      file: 'bridges.zip',
      content: zipSync({ 'a.jsonl': utf8(rows), 'b.csv': utf8('prompt,completion\nx,y\n') }),
      ends: [asks(/a\.jsonl/), refuses(/[Uu]npack|a\.jsonl/)],
    },
    {
      name: 'a gzip file',
      file: 'bridges.jsonl.gz',
      content: gzipSync(utf8(rows)),
      ends: [gives(eight), refuses(/gzip/)],
    },
    {
      name: 'Parquet that breaks off',
      file: 'bridges.parquet',
      content: utf8('PAR1\u0015\u0004oops'),
      ends: refuses(/Parquet/),
    },
    {
      name: 'a picture called .csv',
      file: 'bridge.csv',
      content: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13),
      ends: refuses(/PNG|image|picture/),
    },
    {
      name: 'only a header',
      file: 'a.csv',
      content: 'prompt,completion\n',
      ends: refuses(/no rows|no row|empty|header/i),
    },
    { name: 'an empty list', file: 'a.json', content: '[]', ends: refuses(/empty|no rows|no examples|no elements/i) },
  ]);
});

describe('files of marks', () => {
  const cells = (i: number) => `<tr><td>${ask(i)}</td><td>${tell(i)}</td></tr>`;
  check([
    {
      name: 'a table of HTML that a program called .xls',
      file: 'bridges.xls',
      content: `<html><body><table><tr><th>prompt</th><th>completion</th></tr>${times(8, cells).join('')}</table></body></html>`,
      ends: [gives(eight), asks(/HTML|web page/)],
    },
    {
      name: 'XML',
      file: 'bridges.xml',
      content: `<?xml version="1.0"?><rows>${times(8, (i) => `<row><prompt>${ask(i)}</prompt><completion>${tell(i)}</completion></row>`).join('')}</rows>`,
      ends: [gives(eight), asks(/XML/)],
    },
    {
      name: 'YAML',
      file: 'bridges.yaml',
      content: lines(...times(8, (i) => `- prompt: ${ask(i)}\n  completion: ${tell(i)}`)),
      ends: [gives(eight), refuses(/YAML/), asks(/YAML|prompt/)],
    },
    {
      name: 'names before the lines of a text',
      file: 'bridges.txt',
      content: lines(...times(8, (i) => `prompt: ${ask(i)}\ncompletion: ${tell(i)}\n`)),
      ends: [gives(eight), asks(/prompt|line/), says(/prompt:/)],
    },
    {
      name: 'a comma behind each row, and none behind the header',
      file: 'bridges.csv',
      content: lines('question,answer', ...times(8, (i) => `${ask(i)},${tell(i)},`)),
      ends: [gives(eight), refuses(/cells/)],
    },
  ]);
});
