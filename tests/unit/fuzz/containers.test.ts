/** Mutated files that hold datasets: Parquet, workbooks, archives. */
import { readdirSync, readFileSync } from 'node:fs';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { createDataApi } from '../../../src/workers/data/service';
import { changeBytes, changeTable } from '../../fuzz/mutate';
import type { Draw } from '../../fuzz/random';
import { fuzz } from '../../fuzz/target';

const api = createDataApi();
const tables = new URL('../../fixtures/tables/', import.meta.url);

const read = (name: string) => async (bytes: Uint8Array) => {
  structuredClone(await api.parse(name, bytes.slice().buffer, { format: 'auto', columns: null }));
};

/** Those that read by themselves; empty.parquet has no rows, and images.parquet nothing but pictures. */
const parquet = readdirSync(tables)
  .filter((name) => name.endsWith('.parquet') && name !== 'empty.parquet' && name !== 'images.parquet')
  .map((name) => new Uint8Array(readFileSync(new URL(name, tables))));

/** What a footer and its metadata say decides all: they stand at the end. */
const fromEnd = (bytes: Uint8Array, draw: Draw) =>
  draw.chance(0.3) ? changeBytes(bytes, draw) : changeBytes(bytes.slice().reverse(), draw, 900).slice().reverse();

/**
 * The footer, whose length stands before the last four bytes. The pages before it are left alone: a damaged run length makes
 * hyparquet write billions of values, which the deadline of the data worker ends and nothing in this process could.
 */
function changeFooter(bytes: Uint8Array, draw: Draw): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = bytes.length - 8 - view.getUint32(bytes.length - 8, true);
  const footer = changeBytes(bytes.slice(at), draw);
  const whole = new Uint8Array(at + footer.length);
  whole.set(bytes.subarray(0, at));
  whole.set(footer, at);
  return whole;
}

fuzz({ name: 'Parquet datasets', seeds: parquet, change: changeFooter, run: read('data.parquet') });

const archive = zipSync({
  'data/train.csv': strToU8('prompt,completion\nWhere?,Here.\nWhen?,Now.\n'),
  'data/readme.txt': strToU8('Nothing.'),
});

/** The archive itself, or what one of its files holds. */
function changeArchive(bytes: Uint8Array, draw: Draw): Uint8Array {
  if (draw.chance(0.4)) return fromEnd(bytes, draw);
  const files = unzipSync(bytes);
  const name = draw.pick(Object.keys(files));
  return zipSync({ ...files, [name]: changeTable(files[name]!, draw) });
}

fuzz({ name: 'archives of datasets', seeds: [archive], change: changeArchive, run: read('data.zip') });

const sheet = `<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${[
  ['prompt', 'completion'],
  ['Where?', 'Here.'],
  ['When?', 'Now.'],
]
  .map(
    (row, r) =>
      `<row r="${r + 1}">${row.map((cell, c) => `<c r="${'AB'[c]}${r + 1}" t="inlineStr"><is><t>${cell}</t></is></c>`).join('')}</row>`,
  )
  .join('')}</sheetData></worksheet>`;
const workbook = zipSync({
  '[Content_Types].xml': strToU8(
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
  ),
  '_rels/.rels': strToU8(
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
  ),
  'xl/workbook.xml': strToU8(
    '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
  ),
  'xl/_rels/workbook.xml.rels': strToU8(
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
  ),
  'xl/worksheets/sheet1.xml': strToU8(sheet),
});

const XML = [
  '<',
  '>',
  '</c>',
  '<c r="ZZZ9999999">',
  't="s"',
  '<v>1e999</v>',
  '&amp;',
  '&x;',
  '<row r="9999999">',
  '"',
  '<!DOCTYPE x>',
];

function changeWorkbook(bytes: Uint8Array, draw: Draw): Uint8Array {
  if (draw.chance(0.3)) return fromEnd(bytes, draw);
  const files = unzipSync(bytes);
  const name = draw.chance(0.6) ? 'xl/worksheets/sheet1.xml' : draw.pick(Object.keys(files));
  if (draw.chance(0.4)) return zipSync({ ...files, [name]: changeBytes(files[name]!, draw) });
  const text = strFromU8(files[name]!);
  const at = draw.below(text.length);
  const deep = draw.chance(0.05) ? '<a>'.repeat(50_000) : draw.pick(XML);
  return zipSync({ ...files, [name]: strToU8(text.slice(0, at) + deep + text.slice(at + draw.below(10))) });
}

fuzz({ name: 'workbooks', seeds: [workbook], change: changeWorkbook, run: read('data.xlsx') });
