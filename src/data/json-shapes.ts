/**
 * Where the rows of a JSON document are: in an array, in one list of an object or in several, in columns as pandas writes
 * them, under the keys of an object, or in the exports of other tools (json-exports.ts). Shapes that can mean two things ask.
 */
import { TabtuneError } from '../base/errors';
import { hasHeader, isKnownName } from './csv-header';
import { fromExport } from './json-exports';
import { besides, fromLists } from './json-lists';
import { built, type Found, type JsonRows, plain, said } from './json-rows';
import { parseJsonText } from './json-text';
import { excerpt, nameList } from './problems';
import { isRecord } from './raw-table';
import { copySpellings } from './spellings';

/** Keys that usually hold the rows, and that say nothing by themselves. */
const ROW_KEYS = ['data', 'rows', 'train', 'examples', 'items', 'records', 'dataset', 'samples'];
/** An object in which one of these is a string is itself an example. */
const ROW_PARTS = ['prompt', 'instruction', 'question', 'text', 'input', 'completion', 'output'];
const DEEPEST = 4;

/** Null if there are none. `wanted`: the list that a person chose. Throws a question if several are possible. */
export function rowsOf(name: string, value: unknown, wanted: string | null, depth = 0): Found {
  if (typeof value === 'string') return fromText(name, value, wanted, depth);
  if (Array.isArray(value)) return fromArray(value);
  if (!isRecord(value)) return null;
  const keys = Object.keys(value);
  const lists = keys.filter((key) => isListOfRows(value[key]));
  // {"messages": […]}, or an instruction next to a list, is a single row and not a wrapper around rows.
  if (
    keys.some((key) => looksLikeTurns(value[key])) ||
    ROW_PARTS.some((part) => typeof value[part] === 'string' && !lists.some((key) => ROW_KEYS.includes(key)))
  ) {
    // {"0": […turns], "1": […turns]}: conversations under their numbers.
    const conversations = keys.every((key) => looksLikeTurns(value[key]));
    const numbered = conversations && (keys.length > 1 || /^\d+$/.test(keys[0]!));
    if (numbered && !keys.some((key) => isKnownName(key) || /^(chosen|rejected|messages|conversations?)$/i.test(key))) {
      return built(keys.map((key) => ({ messages: value[key] })));
    }
    return plain([value]);
  }
  const exported = fromExport(value);
  if (exported) return exported;
  if (lists.length > 0) return fromLists(name, value, lists, wanted, fromArray);
  return fromColumns(name, value, wanted) ?? fromKeys(value) ?? fromInside(name, value, wanted, depth);
}

/** JSON in a JSON string. */
function fromText(name: string, value: string, wanted: string | null, depth: number): Found {
  if (depth >= DEEPEST || !/^\s*[[{"]/.test(value)) return null;
  try {
    const found = rowsOf(name, parseJsonText(value), wanted, depth + 1);
    if (!found) return null;
    return built(found.rows, DOUBLE_ENCODED, ...found.problems);
  } catch (error) {
    if (error instanceof TabtuneError) throw error;
    return null;
  }
}

export const DOUBLE_ENCODED = said(
  'double_encoded',
  'The rows are JSON inside JSON strings, as when json.dumps is called twice.',
  'They were unwrapped.',
);

function fromArray(value: unknown[]): JsonRows {
  const exported = fromExport(value);
  if (exported) return exported;
  const sample = value.slice(0, 50);
  if (value.length > 0 && sample.every((row) => Array.isArray(row) && row.length > 0 && row.every(isScalar))) {
    return fromArrays(value as unknown[][]);
  }
  // Rows in batches: [[{…}, {…}], [{…}]].
  const batches = sample.every(
    (row) => Array.isArray(row) && row.length > 0 && row.every(isRecord) && !looksLikeTurns(row) && !maybeTurns(row),
  );
  if (value.length > 0 && batches) return built(value.flat());
  const unwrapped = value.map(unwrapRow);
  if (unwrapped.every((row, i) => row === value[i])) return plain(value);
  const double = value.some((row, i) => typeof row === 'string' && unwrapped[i] !== row);
  return built(unwrapped, ...(double ? [DOUBLE_ENCODED] : []));
}

const maybeTurns = (row: unknown[]) => row.some((turn) => isRecord(turn) && ('content' in turn || 'speaker' in turn));

/** Fields in which exports keep a row's own fields, beside their own: {"row_idx": 0, "row": {…}}. */
const ROW_WRAPPERS: [key: string, beside: RegExp][] = [
  ['row', /^(row_idx|truncated_cells)$/],
  ['_source', /^_/],
  ['attributes', /^(id|type|links|relationships)$/],
  ['fields', /^(id|createdTime|model|pk)$/],
];

/** A row without the wrapper that an export puts around it; the row itself if it has none. */
export function unwrapRow(row: unknown): unknown {
  if (typeof row === 'string' && /^\s*\{/.test(row)) {
    try {
      const inner: unknown = parseJsonText(row);
      return isRecord(inner) ? inner : row;
    } catch {
      return row;
    }
  }
  if (!isRecord(row)) return row;
  for (const [key, beside] of ROW_WRAPPERS) {
    const inner = row[key];
    if (!isRecord(inner)) continue;
    const others = Object.keys(row).filter((other) => other !== key);
    if (others.length > 0 && others.every((other) => beside.test(other))) return inner;
  }
  return row;
}

/** [["a", 1], ["b", 2]]: pandas' “values”, or its “split” with names; the first may be the header. */
function fromArrays(value: unknown[][], names?: readonly string[]): JsonRows {
  const cells = value.map((row) =>
    Array.isArray(row) ? row.map((cell) => (isScalar(cell) ? String(cell ?? '') : '')) : [],
  );
  const header =
    names === undefined &&
    value.length > 1 &&
    value[0]!.every((v) => typeof v === 'string') &&
    hasHeader(cells.slice(0, 100));
  const width = Math.max(...value.slice(0, 1000).map((row) => (Array.isArray(row) ? row.length : 0)));
  const columns = names ?? (header ? cells[0]! : Array.from({ length: width }, (_, i) => `column_${i + 1}`));
  const data = header ? value.slice(1) : value;
  const rows = data.map((row) => {
    if (!Array.isArray(row)) return row;
    const out: Record<string, unknown> = Object.create(null);
    columns.forEach((column, i) => {
      out[column] = row[i];
    });
    for (let i = columns.length; i < row.length; i++) out[`column_${i + 1}`] = row[i];
    return out;
  });
  if (names !== undefined) return built(rows);
  const first = excerpt(JSON.stringify(value[0]), 60);
  return built(
    rows,
    header
      ? said(
          'header_row',
          `The rows are lists without names: ${first} is the first.`,
          'It was read as the names of the columns.',
        )
      : said(
          'no_header',
          `The rows are lists without names, such as ${first}.`,
          `The columns were named ${columns.slice(0, 3).join(', ')}${columns.length > 3 ? ', …' : ''}.`,
        ),
  );
}

function isListOfRows(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.slice(0, 20).every((row) => isRecord(row) || looksLikeTurns(row))
  );
}

function looksLikeTurns(value: unknown): boolean {
  const first = Array.isArray(value) ? value.find((turn) => turn !== null) : null;
  return isRecord(first) && ('role' in first || 'from' in first);
}

const isScalar = (value: unknown) => value === null || typeof value !== 'object';

/** Reads column-wise files: {"text": ["…"], "label": [0]}, or pandas' {"text": {"0": "…"}, "label": {"0": 0}}. */
function fromColumns(name: string, value: Record<string, unknown>, wanted: string | null): Found {
  const { columns, data } = value;
  // pandas' “split”.
  if (Array.isArray(columns) && Array.isArray(data) && data.every(Array.isArray)) {
    return fromArrays(
      data as unknown[][],
      columns.map((column) => (Array.isArray(column) ? column.join('.') : String(column))),
    );
  }
  const entries = Object.entries(value);
  const lists = entries.filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
  const scalars = entries.length - lists.length - entries.filter(([, v]) => isRecord(v)).length;
  if (lists.length > 0 && lists.length + scalars === entries.length) {
    const lengths = new Set(lists.map(([, list]) => list.length));
    const known = lists.some(([key]) => isKnownName(key));
    const ofTexts = lists.every(([, list]) => list.every((v) => typeof v === 'string'));
    // {"sport": ["…", "…"], "news": ["…"]}: texts by class; or answers by question.
    if (ofTexts && !known && lists.length > 1 && wanted !== '(columns)') {
      if (lengths.size > 1 || wanted === '(labels)') return byLabel(lists as [string, string[]][]);
      throw askColumns(
        name,
        lists.map(([key]) => key),
      );
    }
    if (lengths.size > 1 || (lists[0]![1].length === 0 && lists.length === entries.length)) return null;
    return columnsToRows(lists);
  }
  if (entries.length === 0 || !entries.every(([, v]) => isRecord(v))) return null;
  const indexed = entries as [string, Record<string, unknown>][];
  const inner = indexed.map(([, v]) => Object.keys(v));
  const same = inner.every((keys) => keys.length === inner[0]!.length && keys.every((key) => key in indexed[0]![1]));
  const scalarsInside = indexed.every(([, v]) =>
    Object.values(v).every((x) => isScalar(x) || Array.isArray(x) || isRecord(x)),
  );
  if (!scalarsInside || inner[0]!.length === 0) return null;
  const digitsInside = inner.every((keys) => keys.every((key) => /^\d+$/.test(key)));
  // Columns by index, or rows by index: the side with names that columns have is the columns.
  if (digitsInside || (same && indexed.some(([key]) => isKnownName(key)) && !inner[0]!.some(isKnownName))) {
    return columnsToRows(indexed);
  }
  if (indexed.length > 1 && (same || overlap(inner))) return rowsByKey(indexed);
  return null;
}

/** Whether most keys of most objects are in the first as well: records of one kind. */
function overlap(keys: readonly string[][]): boolean {
  const counts = new Map<string, number>();
  for (const list of keys) for (const key of list) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts.values()].some((n) => n >= keys.length * 0.9);
}

function columnsToRows(entries: readonly [string, unknown[] | Record<string, unknown>][]): JsonRows {
  const indices = new Set<string>();
  for (const [, column] of entries) for (const index of Object.keys(column)) indices.add(index);
  const rows = [...indices].map((index) => {
    const row: Record<string, unknown> = Object.create(null);
    for (const [key, column] of entries) row[key] = (column as Record<string, unknown>)[index];
    return row;
  });
  return built(rows);
}

/** {"0": {…}, "1": {…}}, or objects by a name that may be a text itself. */
function rowsByKey(entries: readonly [string, Record<string, unknown>][]): JsonRows {
  const numbered = entries.every(([key]) => /^\d+$/.test(key));
  if (numbered) return built(entries.map(([, row]) => row));
  const column = entries.some(([, row]) => 'key' in row) ? '_key' : 'key';
  const rows = entries.map(([key, row]) => {
    const out = { [column]: key, ...row };
    copySpellings(row, out);
    return out;
  });
  return built(
    rows,
    said(
      'rows_by_key',
      `The rows are under names, such as “${excerpt(entries[0]![0], 40)}”.`,
      `The names are in the column “${column}”.`,
    ),
  );
}

function byLabel(lists: readonly [string, string[]][]): JsonRows {
  const asked = lists.filter(([key]) => isSentence(key)).length > lists.length / 2;
  if (asked) {
    return built(
      lists.map(([question, answers]) => ({ question, answer: answers.length === 1 ? answers[0] : answers })),
      said(
        'answers_by_question',
        'The file has lists of answers by question.',
        'The questions and answers were read as two columns.',
      ),
    );
  }
  return built(
    lists.flatMap(([label, texts]) => texts.map((text) => ({ text, label }))),
    said(
      'texts_by_label',
      `The file has lists of texts by name: ${nameList(
        lists.map(([key]) => key),
        6,
      )}.`,
      'The names were read as labels.',
    ),
  );
}

function askColumns(name: string, keys: readonly string[]): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: `This JSON file has lists of texts that are equally long: ${nameList(keys, 8)}. They can be columns, or the texts of classes.`,
    where: name,
    action: 'Choose what they are.',
    choices: [
      { label: 'Columns of one table', set: { 'dataset.table': '(columns)' } },
      { label: 'Texts with these labels', set: { 'dataset.table': '(labels)' } },
    ],
  });
}

const isSentence = (text: string) => /[?？!.。！]\s*$/.test(text) || text.trim().split(/\s+/).length >= 3;

/** {"question": "answer", …}, or {"text": label, …}. One object with texts under names of columns is a row. */
function fromKeys(value: Record<string, unknown>): Found {
  const entries = Object.entries(value);
  if (entries.length === 0 || !entries.every(([, v]) => isScalar(v) && v !== null)) {
    return Object.values(value).some((v) => typeof v === 'string') && entries.some(([key]) => isKnownName(key))
      ? plain([value])
      : null;
  }
  const named = entries.filter(([key]) => isKnownName(key)).length;
  const strings = entries.filter(([, v]) => typeof v === 'string').length;
  if (named > 0 || !entries.some(([key]) => isSentence(key) || key.length > 20)) {
    // Words and their meanings are pairs too, if there are many.
    if (named > 0 || entries.length < 5 || strings < entries.length) return strings > 0 ? plain([value]) : null;
  }
  const values = new Set(entries.map(([, v]) => v));
  const few = entries.length >= 6 && values.size <= Math.max(2, entries.length / 3);
  const labels = few && [...values].every((v) => typeof v !== 'string' || v.length <= 30);
  if (labels || strings < entries.length) {
    return built(
      entries.map(([text, label]) => ({ text, label })),
      said(
        'labels_by_text',
        'The file has a value for each text.',
        'The texts and values were read as two columns, “text” and “label”.',
      ),
    );
  }
  return built(
    entries.map(([question, answer]) => ({ question, answer })),
    said(
      'answers_by_question',
      'The file has an answer for each question.',
      'They were read as two columns, “question” and “answer”.',
    ),
  );
}

/** Rows further inside: {"result": {"data": {"rows": […]}}}. */
function fromInside(name: string, value: Record<string, unknown>, wanted: string | null, depth: number): Found {
  if (depth >= DEEPEST) return null;
  const found: { key: string; rows: JsonRows }[] = [];
  for (const [key, inner] of Object.entries(value)) {
    if (!isRecord(inner)) continue;
    const rows = rowsOf(name, inner, wanted, depth + 1);
    // One row may be anything: settings, a license.
    if (rows && (rows.rows.length > 1 || looksLikeTurns(Object.values(rows.rows[0] ?? {})[0])))
      found.push({ key, rows });
  }
  if (found.length !== 1) return null;
  const { key, rows } = found[0]!;
  const where = said('rows_inside', `The rows are inside “${excerpt(key, 40)}”.`, 'They were read from there.');
  return { rows: rows.rows, problems: [where, ...rows.problems, ...besides(value, [key])], built: true };
}
