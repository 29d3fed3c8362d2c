/** JSON files: an array of rows, an object that contains one, or columns as written by pandas. */
import { TabtuneError } from '../base/errors';
import { explainJsonError } from './json-error';
import { ProblemList } from './problems';
import { columnsOf, isRecord, type RawRow, type RawTable } from './raw-table';

/** Keys that usually hold the rows, tried before any other key with an array of objects. */
const ROW_KEYS = ['data', 'rows', 'train', 'examples', 'items', 'records', 'dataset', 'samples'];

/** An object in which one of these is a string is itself an example. */
const ROW_PARTS = ['prompt', 'instruction', 'question', 'text', 'input', 'completion', 'output'];

/** Throws bad_data if the text is not JSON (naming the line) or contains no rows. */
export function parseJson(name: string, text: string): RawTable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { line, column, near, what, action } = explainJsonError(text);
    throw new TabtuneError({
      code: 'bad_data',
      message: `This is not valid JSON: ${what}.`,
      where: `${name}, line ${line}`,
      action,
      details: `Column ${column}${near ? `, near “${near}”` : ''}.`,
    });
  }
  return tableFromJson(name, value);
}

export function tableFromJson(name: string, value: unknown): RawTable {
  const problems = new ProblemList();
  const rows = rowsOf(value);
  if (rows === null) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'No list of examples was found in this JSON file.',
      where: name,
      action:
        'Make it an array of objects, such as [{"prompt": "…", "completion": "…"}], or one object per line (JSONL).',
      details: isRecord(value)
        ? `Top-level keys: ${Object.keys(value).slice(0, 20).join(', ')}`
        : `It is a ${typeof value}.`,
    });
  }
  if (rows.length === 0) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'This file contains an empty list.',
      where: name,
      action: 'Choose a file with at least one example in it.',
    });
  }
  const numbered = rows.map<RawRow>((value, i) => ({ row: i + 1, value: normaliseElement(value) }));
  return {
    fileType: 'json',
    columns: columnsOf(numbered),
    rows: numbered,
    problems: problems.list(),
    totalRows: rows.length,
  };
}

/** A string becomes a text; an array of objects becomes a conversation. */
export function normaliseElement(value: unknown): unknown {
  if (typeof value === 'string') return { text: value };
  if (Array.isArray(value) && value.length > 0 && value.every(isRecord)) return { messages: value };
  return value;
}

function rowsOf(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value;
  if (!isRecord(value)) return null;
  const keys = [...ROW_KEYS.filter((key) => Object.hasOwn(value, key)), ...Object.keys(value)];
  const lists = keys.filter((key) => isListOfRows(value[key]));
  // {"messages": […]}, or an instruction next to a list, is a single row and not a wrapper around rows.
  const isRow =
    lists.some((key) => looksLikeTurns(value[key])) || ROW_PARTS.some((part) => typeof value[part] === 'string');
  if (isRow) return [value];
  if (lists.length > 0) {
    const rows = value[lists[0]!] as unknown[];
    // The Hub's dataset viewer wraps each row: {"row_idx": 0, "row": {…}}.
    return rows.map((row) => (isRecord(row) && isRecord(row.row) && 'row_idx' in row ? row.row : row));
  }
  return fromColumns(value) ?? (Object.values(value).some((v) => typeof v === 'string') ? [value] : null);
}

function isListOfRows(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.slice(0, 20).every(isRecord);
}

function looksLikeTurns(value: unknown): boolean {
  const first = Array.isArray(value) ? value[0] : null;
  return isRecord(first) && ('role' in first || 'from' in first);
}

/** Reads column-wise files: {"text": ["…"], "label": [0]}, or pandas' {"text": {"0": "…"}, "label": {"0": 0}}. */
function fromColumns(value: Record<string, unknown>): unknown[] | null {
  const entries = Object.entries(value);
  if (entries.length === 0) return null;
  const indexed = entries.every(([, v]) => isRecord(v) && Object.keys(v).every((k) => /^\d+$/.test(k)));
  const listed = entries.every(([, v]) => Array.isArray(v));
  if (!indexed && !listed) return null;
  const indices = new Set<string>();
  for (const [, column] of entries) for (const key of Object.keys(column as object)) indices.add(key);
  return [...indices].map((index) => {
    const row: Record<string, unknown> = Object.create(null);
    for (const [key, column] of entries) row[key] = (column as Record<string, unknown>)[index];
    return row;
  });
}
