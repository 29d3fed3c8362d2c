/**
 * Edits one row of a stored dataset file in place. The file keeps its type, columns and row numbers, so that problems
 * and examples keep their positions. Runs in the data worker, because it reads untrusted files.
 */

import Papa from 'papaparse';
import { TabtuneError } from '../../base/errors';
import { parseUntrusted } from '../../base/json';
import { containerOf } from '../../data/file-kinds';
import { parseDataset } from '../../data/parse';
import { parseCsv } from '../../data/parse-csv';
import { normaliseElement, tableFromJson } from '../../data/parse-json';
import { splitLines } from '../../data/parse-jsonl';
import { isRecord } from '../../data/raw-table';
import { readText } from '../../data/read-text';
import type { ReadingSection } from '../../recipe/sections';
import type { DataApi } from './api';
import type { ReadFilesApi } from './read-files';

/** The data worker's API: the data layer's calls, edits, and the reading of other files. */
export interface DataWorkerApi extends DataApi, ReadFilesApi {
  /** Whether the browser keeps this worker from reaching other servers, as workers/closed.ts found out. */
  closedByBrowser(): Promise<boolean>;
  /** Returns the file, as UTF-8, with `fields` (column -> new value) set in row `row`. Throws bad_data if it cannot. */
  editRow(
    name: string,
    bytes: ArrayBuffer,
    section: ReadingSection,
    row: number,
    fields: Record<string, string>,
  ): ArrayBuffer;
}

type Fields = Record<string, string>;

export const editRow: DataWorkerApi['editRow'] = (name, bytes, section, row, fields) => {
  if (containerOf(new Uint8Array(bytes)) !== null) throw missing(name, row);
  const before = parseDataset(name, new Uint8Array(bytes), section);
  // Rows that were put together from something else have no place in the file to be written to.
  if (before.readOnly) throw missing(name, row);
  const { text } = readText(name, new Uint8Array(bytes), section.encoding);
  // The recipe still names the encoding that the file had: the mark says that it is UTF-8 now.
  const mark = (section.encoding ?? 'auto') === 'auto' ? '' : '\uFEFF';
  const edited = new TextEncoder().encode(mark + rewrite(name, text, before.fileType, row, fields, section));
  // Read the result back, to refuse an edit that makes a row unusable or affects other rows.
  const after = parseDataset(name, edited, section);
  const others = (rows: typeof after.examples) => rows.filter((example) => example.row !== row).length;
  if (!after.examples.some((example) => example.row === row)) {
    throw refused(name, row, 'This change would make the row unusable.', 'Do not leave a prompt or answer empty.');
  }
  if (others(after.examples) !== others(before.examples) || after.format !== before.format) {
    throw refused(name, row, 'This change would affect how the rest of the file is read.');
  }
  return edited.buffer;
};

function rewrite(
  name: string,
  text: string,
  kind: string,
  row: number,
  fields: Fields,
  section: ReadingSection,
): string {
  switch (kind) {
    case 'jsonl':
      return rewriteLine(name, text, row, fields);
    case 'json':
      return rewriteJson(name, text, row, fields, section);
    case 'csv':
    case 'tsv':
      return rewriteCsv(name, text, row, fields);
    default:
      return rewritePassage(name, text, row, fields, section);
  }
}

function rewriteLine(name: string, text: string, row: number, fields: Fields): string {
  const lines = [...splitLines(text)].map(({ content }) => content);
  const line = lines[row - 1];
  if (line === undefined) throw missing(name, row);
  // The file may be an array with one element per line; ignore the brackets and comma around the element.
  const element = line.trim().replace(/^\uFEFF/, '');
  const value = tryJson(element) ?? tryJson(element.replace(/^\[/, '').replace(/[,\]]+$/, ''));
  if (value === undefined) throw missing(name, row);
  lines[row - 1] = JSON.stringify(withFields(value, fields)) + (element.endsWith(',') ? ',' : '');
  return `${lines.join('\n')}\n`;
}

function rewriteJson(name: string, text: string, row: number, fields: Fields, section: ReadingSection): string {
  // Written back as JavaScript's numbers, these would lose digits in every row.
  if (/[:[,\s]-?\d{16,}\s*[,}\]]/.test(text)) {
    throw refused(
      name,
      row,
      'This file has numbers of more digits than can be written back exactly.',
      'Edit it in a text editor, or put quotes around such numbers.',
    );
  }
  const document: unknown = parseUntrusted(text);
  const before = JSON.stringify(document);
  const element = tableFromJson(name, document, section.table ?? null).rows[row - 1]?.value;
  if (!isRecord(element)) throw missing(name, row);
  if (Array.isArray(document)) document[row - 1] = withFields(document[row - 1], fields);
  // The table's rows are the document's own objects, wherever they are, unless they were built from columns.
  else Object.defineProperties(element, Object.getOwnPropertyDescriptors(withFields(element, fields)));
  if (JSON.stringify(document) === before) throw missing(name, row);
  // A JSON Lines file with one line is also valid JSON, and must stay on one line.
  return `${JSON.stringify(document, null, /\.(jsonl|ndjson)$/i.test(name) ? 0 : 2)}\n`;
}

function rewriteCsv(name: string, text: string, row: number, fields: Fields): string {
  const { columns, rows, totalRows, headerless, fileType, problems } = parseCsv(name, text);
  if (rows.length < totalRows || problems.some(({ dropped }) => dropped)) {
    throw refused(
      name,
      row,
      'Some rows of this file are broken and would be lost by editing it.',
      'Fix the skipped rows in a spreadsheet, then open the file again.',
    );
  }
  const cells = rows.map(({ row: number, value }) => {
    const record = value as Record<string, string>;
    return columns.map((column) => (number === row ? (fields[column] ?? record[column]) : record[column]) ?? '');
  });
  if (!rows.some(({ row: number }) => number === row)) throw missing(name, row);
  const table = headerless ? cells : [columns, ...cells];
  return `${Papa.unparse(table, { delimiter: fileType === 'tsv' ? '\t' : ',', newline: '\n' })}\n`;
}

/** Passages have no columns. They are written back with a blank line between them. */
function rewritePassage(name: string, text: string, row: number, fields: Fields, section: ReadingSection): string {
  const passages = parseDataset(name, new TextEncoder().encode(text), section).examples;
  const written = passages.map((example) => {
    if (example.kind !== 'text') throw missing(name, row);
    return example.row === row ? (Object.values(fields)[0] ?? example.text) : example.text;
  });
  return `${written.join('\n\n')}\n`;
}

/** A row with new values. Values that were not strings (a conversation, a number) keep their type if possible. */
function withFields(value: unknown, fields: Fields): unknown {
  const record = normaliseElement(value);
  if (!isRecord(record)) return value;
  const changed: Record<string, unknown> = { ...record };
  for (const [column, text] of Object.entries(fields)) {
    const old = Object.hasOwn(record, column) ? record[column] : undefined;
    const parsed = typeof old === 'string' || old === undefined || old === null ? undefined : tryJson(text);
    const same = parsed !== undefined && typeof parsed === typeof old && Array.isArray(parsed) === Array.isArray(old);
    Object.defineProperty(changed, column, {
      value: same ? parsed : text,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return changed;
}

function tryJson(text: string): unknown {
  try {
    return parseUntrusted(text);
  } catch {
    return undefined;
  }
}

function missing(name: string, row: number): TabtuneError {
  return refused(name, row, 'This row cannot be edited here.', 'Change it in the file, then open the file again.');
}

function refused(name: string, row: number, message: string, action = 'Nothing was changed.'): TabtuneError {
  return new TabtuneError({ code: 'bad_data', message, where: `${name}, row ${row}`, action });
}
