/**
 * JSON files: an array of rows, an object that holds one, or columns as pandas writes them. And the words for what is
 * wrong with a piece of JSON, shared with parse-jsonl.ts.
 */
import { TabtuneError } from '../base/errors';
import { excerpt, ProblemList } from './problems';
import { columnsOf, isRecord, type RawRow, type RawTable } from './raw-table';

/** Keys under which files keep their rows, tried before any other key that holds an array of objects. */
const ROW_KEYS = ['data', 'rows', 'train', 'examples', 'items', 'instances', 'records', 'dataset', 'samples'];

/** Throws bad_data naming the line when the text is not JSON, or when no rows can be found in it. */
export function parseJson(name: string, text: string): RawTable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { line, column, hint, near } = explainJsonError(text, error);
    throw new TabtuneError({
      code: 'bad_data',
      message: `This is not valid JSON: ${hint.what}.`,
      where: line === null ? name : `${name}, line ${line}`,
      action: hint.action,
      details: `${error instanceof Error ? excerpt(error.message, 200) : ''} (column ${column ?? '?'}${near ? `, near “${near}”` : ''})`,
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
        'Make it an array of objects, such as [{"prompt": "…", "completion": "…"}], or one object a line (JSONL).',
      details: isRecord(value)
        ? `Top-level keys: ${Object.keys(value).slice(0, 20).join(', ')}`
        : `It is a ${typeof value}.`,
    });
  }
  if (rows.length === 0) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'This file holds an empty list.',
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

/** An array of strings is text; an array of arrays of messages is conversations. */
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
  // {"messages": […]} is one conversation, not a list of rows; {"messages": […], "label": true} likewise.
  const single = lists.length === 1 && !ROW_KEYS.includes(lists[0]!) && looksLikeTurns(value[lists[0]!]);
  if (lists.length > 0 && !single) {
    const rows = value[lists[0]!] as unknown[];
    // The Hub's dataset viewer wraps each row: {"row_idx": 0, "row": {…}}.
    return rows.map((row) => (isRecord(row) && isRecord(row.row) && 'row_idx' in row ? row.row : row));
  }
  return single
    ? [value]
    : (fromColumns(value) ?? (Object.values(value).some((v) => typeof v === 'string') ? [value] : null));
}

function isListOfRows(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.slice(0, 20).every(isRecord);
}

function looksLikeTurns(value: unknown): boolean {
  const first = Array.isArray(value) ? value[0] : null;
  return isRecord(first) && ('role' in first || 'from' in first);
}

/** Column-wise files: {"text": ["…"], "label": [0]}, or pandas' {"text": {"0": "…"}, "label": {"0": 0}}. */
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

export interface JsonHint {
  /** Continues a sentence: "it was cut off before its end". */
  what: string;
  action: string;
}

export interface JsonErrorPlace {
  /** 1-based, in the given text; null when the engine does not say. */
  line: number | null;
  column: number | null;
  near: string;
  hint: JsonHint;
}

/** Turns an engine's "Unexpected token" into what a person did. Costs one pass over the text at most. */
export function explainJsonError(text: string, error: unknown): JsonErrorPlace {
  const message = error instanceof Error ? error.message : String(error);
  const match = /position (\d+)/.exec(message);
  let position = match ? Number(match[1]) : null;
  if (position === null && /end of (JSON )?(input|data)/i.test(message)) position = text.length;
  let line: number | null = null;
  let column: number | null = null;
  if (position !== null) {
    line = 1;
    let start = 0;
    for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) {
      line++;
      start = at + 1;
    }
    column = position - start + 1;
  }
  const at = position ?? 0;
  return {
    line,
    column,
    near: excerpt(text.slice(Math.max(0, at - 20), at + 20), 40),
    hint: hintFor(text, at, message, position !== null),
  };
}

function hintFor(text: string, position: number, message: string, known: boolean): JsonHint {
  const char = text[position] ?? '';
  const before = text.slice(Math.max(0, position - 200), position).trimEnd();
  const after = text.slice(position, position + 12);
  if (/end of|unterminated/i.test(message) || (known && position >= text.trimEnd().length)) {
    return { what: 'it ends before it is complete', action: 'The end seems to be missing: copy or download it again.' };
  }
  if ((char === '}' || char === ']') && before.endsWith(',')) {
    return { what: 'there is a comma after the last value', action: `Remove the comma before “${char}”.` };
  }
  if (char === "'" || /^\s*[{[]\s*'/.test(text.slice(0, 200))) {
    return {
      what: 'it uses single quotes, as Python prints',
      action: 'JSON needs double quotes: write it with json.dumps, not with print or str.',
    };
  }
  if (/^(None|True|False|NaN|Infinity|nan|undefined)\b/.test(after) || /^-?(Infinity|NaN)/.test(after)) {
    const word = /^-?\w+/.exec(after)![0];
    return {
      what: `“${word}” is not a JSON value`,
      action: 'Use null, true or false: write the file with json.dumps (and allow_nan=False).',
    };
  }
  if (/control character/i.test(message)) {
    return {
      what: 'a text holds a raw line break or tab',
      action: 'Write them as \\n and \\t inside the quotes: write the file with json.dumps.',
    };
  }
  if (/escape/i.test(message)) {
    return {
      what: 'a backslash is followed by a letter that JSON does not know',
      action: 'Write a backslash as \\\\.',
    };
  }
  if (char === '/' || char === '#') {
    return { what: 'it has a comment, which JSON does not allow', action: 'Remove the comment.' };
  }
  if (/after (JSON|array element|property)|non-whitespace/i.test(message) && /^[{["\w-]/.test(char)) {
    return {
      what: 'a comma is missing, or a quote inside a text is not escaped',
      action: 'Put a comma between values, and write quotes inside a text as \\".',
    };
  }
  return {
    what: `“${excerpt(after, 12)}” does not belong there`,
    action: 'Check the quotes, commas and brackets there.',
  };
}
