/** Writes a file again with some of its rows changed or taken out. The rest keeps its form as far as the kind of file allows. */
import Papa from 'papaparse';
import { TabtuneError } from '../../base/errors';
import { parseUntrusted } from '../../base/json';
import { parseDataset } from '../../data/parse';
import { parseCsv } from '../../data/parse-csv';
import { normaliseElement, tableFromJson } from '../../data/parse-json';
import { splitLines } from '../../data/parse-jsonl';
import { isRecord } from '../../data/raw-table';
import type { ReadingSection } from '../../recipe/sections';

export interface Change {
  /** The rows that it is about, all of which must be there; null is every row. */
  rows: ReadonlySet<number> | null;
  /** The row's new value, the same one if nothing changes, or null if the row goes. */
  apply(value: unknown): unknown;
  /** The rows go whatever they hold: a line that cannot be read can be taken out too. */
  removes: boolean;
}

export function rewrite(name: string, text: string, kind: string, section: ReadingSection, change: Change): string {
  switch (kind) {
    case 'jsonl':
      return rewriteLines(name, text, change);
    case 'json':
      return rewriteJson(name, text, change, section);
    case 'csv':
    case 'tsv':
      return rewriteCsv(name, text, change);
    default:
      return rewritePassages(name, text, change, section);
  }
}

/** For errors: one of the rows. */
const someRow = ({ rows }: Change): number | undefined => rows?.values().next().value;

function rewriteLines(name: string, text: string, change: Change): string {
  const lines = [...splitLines(text)].map(({ content }) => content);
  for (const row of change.rows ?? []) if (lines[row - 1] === undefined) throw missing(name, row);
  const out: string[] = [];
  for (const [i, line] of lines.entries()) {
    const asked = change.rows === null || change.rows.has(i + 1);
    if (!asked || line.trim() === '') out.push(line);
    else if (!change.removes) out.push(changedLine(name, line, i + 1, change));
  }
  return `${out.join('\n')}\n`;
}

function changedLine(name: string, line: string, row: number, change: Change): string {
  // The file may be an array with one element per line; ignore the brackets and comma around the element.
  const element = line.trim().replace(/^\uFEFF/, '');
  const value = tryJson(element) ?? tryJson(element.replace(/^\[/, '').replace(/[,\]]+$/, ''));
  if (value === undefined) {
    if (change.rows === null) return line;
    throw missing(name, row);
  }
  const next = change.apply(value);
  return next === value ? line : JSON.stringify(next) + (element.endsWith(',') ? ',' : '');
}

function rewriteJson(name: string, text: string, change: Change, section: ReadingSection): string {
  // Written back as JavaScript's numbers, these would lose digits in every row.
  if (/[:[,\s]-?\d{16,}\s*[,}\]]/.test(text)) {
    throw refused(
      name,
      someRow(change),
      'This file has numbers of more digits than can be written back exactly.',
      'Edit it in a text editor, or put quotes around such numbers.',
    );
  }
  const document = tryJson(text);
  if (document === undefined) throw missing(name, someRow(change));
  const { rows } = tableFromJson(name, document, section.table ?? null);
  const gone = new Set<unknown>();
  let changed = false;
  for (const row of change.rows ?? rows.map(({ row }) => row)) {
    const element = rows[row - 1]?.value;
    const own = Array.isArray(document) ? document[row - 1] : element;
    if (!isRecord(element)) {
      if (change.rows === null) continue;
      throw missing(name, row);
    }
    if (change.removes) {
      gone.add(own);
      continue;
    }
    const next = change.apply(own);
    if (next === own) continue;
    changed = true;
    if (Array.isArray(document)) document[row - 1] = next;
    // The table's rows are the document's own objects, wherever they are, unless they were built from columns.
    else Object.defineProperties(element, Object.getOwnPropertyDescriptors(next as object));
  }
  const before = JSON.stringify(tryJson(text));
  const written = change.removes ? without(document, gone) : document;
  // Rows that are no part of the document were put together from columns, and cannot be written back.
  if ((changed || change.removes) && JSON.stringify(written) === before) throw missing(name, someRow(change));
  // A JSON Lines file with one line is also valid JSON, and must stay on one line.
  return `${JSON.stringify(written, null, /\.(jsonl|ndjson)$/i.test(name) ? 0 : 2)}\n`;
}

/** The same document without these elements of its lists. */
function without(value: unknown, gone: ReadonlySet<unknown>): unknown {
  if (Array.isArray(value)) return value.filter((item) => !gone.has(item)).map((item) => without(item, gone));
  if (!isRecord(value)) return value;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner !== 'object' || inner === null) continue;
    const kept = without(inner, gone);
    Object.defineProperty(value, key, { value: kept, enumerable: true, configurable: true, writable: true });
  }
  return value;
}

function rewriteCsv(name: string, text: string, change: Change): string {
  const { columns, rows, totalRows, headerless, fileType, problems } = parseCsv(name, text);
  const lost = problems
    .filter(({ dropped }) => dropped)
    .flatMap(({ row, further = [] }) => (row === undefined ? further : [row]));
  const staying = change.removes ? lost.filter((row) => !change.rows?.has(row)) : lost;
  if (rows.length + lost.length < totalRows || staying.length > 0) {
    throw refused(
      name,
      someRow(change),
      'Some rows of this file are broken and would be lost by editing it.',
      'Fix the skipped rows in a spreadsheet, then open the file again.',
    );
  }
  const there = new Set([...rows.map(({ row }) => row), ...lost]);
  for (const row of change.rows ?? []) if (!there.has(row)) throw missing(name, row);
  const cells = rows.flatMap(({ row, value }) => {
    const asked = change.rows === null || change.rows.has(row);
    if (asked && change.removes) return [];
    const record = (asked ? change.apply(value) : value) as Record<string, string>;
    return [columns.map((column) => (Object.hasOwn(record, column) ? record[column] : '') ?? '')];
  });
  const table = headerless ? cells : [columns, ...cells];
  return `${Papa.unparse(table, { delimiter: fileType === 'tsv' ? '\t' : ',', newline: '\n' })}\n`;
}

/** Passages have no columns. They are written back with a blank line between them. */
function rewritePassages(name: string, text: string, change: Change, section: ReadingSection): string {
  const passages = parseDataset(name, new TextEncoder().encode(text), section).examples;
  const there = new Set(passages.map(({ row }) => row));
  for (const row of change.rows ?? []) if (!there.has(row)) throw missing(name, row);
  const written = passages.flatMap((example) => {
    if (example.kind !== 'text') throw missing(name, example.row);
    if (change.rows && !change.rows.has(example.row)) return [example.text];
    if (change.removes) return [];
    const next = change.apply({ text: example.text });
    return [isRecord(next) ? String(next.text) : example.text];
  });
  return `${written.join('\n\n')}\n`;
}

type Fields = Record<string, string>;

/** A row with new values. Values that were not strings (a conversation, a number) keep their type if possible. */
export function withFields(value: unknown, fields: Fields): unknown {
  const record = normaliseElement(value);
  if (!isRecord(record)) return value;
  const changed: Record<string, unknown> = { ...record };
  for (const [column, text] of Object.entries(fields)) {
    const old = Object.hasOwn(record, column) ? record[column] : undefined;
    const parsed = typeof old === 'string' || old === undefined || old === null ? undefined : tryJson(text);
    const same = parsed !== undefined && typeof parsed === typeof old && Array.isArray(parsed) === Array.isArray(old);
    set(changed, column, same ? parsed : text);
  }
  return changed;
}

/** A row with `change` applied to its texts: the columns that are used, and the turns of a conversation in them. */
export function withTexts(value: unknown, columns: ReadonlySet<string>, change: (text: string) => string): unknown {
  const record = normaliseElement(value);
  if (!isRecord(record)) return value;
  let changed: Record<string, unknown> | null = null;
  for (const [column, old] of Object.entries(record)) {
    if (!columns.has(column)) continue;
    const next = typeof old === 'string' ? change(old) : withTurns(old, change);
    if (next === old) continue;
    changed ??= { ...record };
    set(changed, column, next);
  }
  return changed ?? value;
}

const TURN_TEXTS = new Set(['content', 'value', 'text']);

/** Of messages in a list, or of a single one. */
function withTurns(turns: unknown, change: (text: string) => string): unknown {
  if (!Array.isArray(turns)) return isRecord(turns) ? withTexts(turns, TURN_TEXTS, change) : turns;
  const next = turns.map((turn) => (isRecord(turn) ? withTexts(turn, TURN_TEXTS, change) : turn));
  return next.some((turn, i) => turn !== turns[i]) ? next : turns;
}

/** Also for a column called `__proto__`. */
function set(record: Record<string, unknown>, column: string, value: unknown): void {
  Object.defineProperty(record, column, { value, enumerable: true, configurable: true, writable: true });
}

function tryJson(text: string): unknown {
  try {
    return parseUntrusted(text);
  } catch {
    return undefined;
  }
}

export function missing(name: string, row: number | undefined): TabtuneError {
  return refused(
    name,
    row,
    row === undefined ? 'The rows of this file cannot be edited here.' : 'This row cannot be edited here.',
    'Change it in the file, then open the file again.',
  );
}

export function refused(
  name: string,
  row: number | undefined,
  message: string,
  action = 'Nothing was changed.',
): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message,
    where: row === undefined ? name : `${name}, row ${row}`,
    action,
  });
}
