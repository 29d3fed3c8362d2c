/** JSON files: an array of rows, or an object that contains them (json-shapes.ts). */
import { TabtuneError } from '../base/errors';
import { explainJsonError } from './json-error';
import { rowsOf } from './json-shapes';
import { parseJsonText } from './json-text';
import { type Liberty, LooseError, type LooseValue, readLoose, skipSpace } from './loose-json';
import { columnsOf, isRecord, type RawRow, type RawTable } from './raw-table';
import type { DataProblem } from './types';

/** Throws bad_data if the text is not JSON (naming the line) or contains no rows. */
export function parseJson(name: string, text: string, wanted: string | null = null): RawTable {
  let value: unknown;
  const problems: DataProblem[] = [];
  try {
    value = parseJsonText(text);
  } catch (error) {
    const loose = readWhole(text);
    if (!loose) throw notJson(name, text, error);
    value = loose.value;
    problems.push(...libertyProblems(text, loose.liberties));
  }
  const table = tableFromJson(name, value, wanted);
  if (problems.length === 0) return table;
  return { ...table, problems: [...problems, ...table.problems], readOnly: true };
}

function notJson(name: string, text: string, error: unknown): TabtuneError {
  if (error instanceof LooseError) {
    return new TabtuneError({
      code: 'bad_data',
      message: `This JSON file cannot be read: ${error.what}.`,
      where: name,
      action: 'Write each example as one object with texts, numbers or lists.',
    });
  }
  const { line, column, near, what, action } = explainJsonError(text);
  return new TabtuneError({
    code: 'bad_data',
    message: `This is not valid JSON: ${what}.`,
    where: `${name}, line ${line}`,
    action,
    details: `Column ${column}${near ? `, near “${near}”` : ''}.`,
  });
}

/** Slips that change nothing in what is read: the rest (bare words, unknown escapes) may mean something else. */
const SAFE: Partial<Record<Liberty, string>> = {
  comment: 'comments',
  trailing_comma: 'commas after the last value',
  single_quotes: 'single quotes, as Python’s print writes them',
  python_word: 'None, True or False',
  not_a_number: 'NaN or Infinity, which were read as empty',
  raw_break: 'raw line breaks or tabs inside texts',
  python_type: 'Python’s tuples, sets or arrays, which were read as lists',
  key_type: 'names that are no texts',
};

/** Escapes such as \x41 are Python's, and mean the same in texts in single quotes only. */
export function isSafe(liberties: ReadonlyMap<Liberty, number>): boolean {
  return [...liberties.keys()].every(
    (liberty) => SAFE[liberty] !== undefined || (liberty === 'escape' && liberties.has('single_quotes')),
  );
}

export function libertyWords(liberties: ReadonlyMap<Liberty, number>): string[] {
  return [...liberties.keys()].flatMap((liberty) => SAFE[liberty] ?? []);
}

function libertyProblems(text: string, liberties: ReadonlyMap<Liberty, number>): DataProblem[] {
  return [...liberties].flatMap(([liberty, at]) => {
    const words = SAFE[liberty];
    if (words === undefined) return [];
    const line = text.slice(0, at).split('\n').length;
    return {
      severity: 'warning' as const,
      code: 'loose_json',
      message: `This is not quite JSON: it has ${words} (first on line ${line}).`,
      action: 'It was read anyway. Write the file with json.dumps to be sure.',
      dropped: false,
    };
  });
}

/** A document with slips that change nothing; null if it has others or more follows. */
function readWhole(text: string): LooseValue | null {
  try {
    const loose = readLoose(text, 0);
    return isSafe(loose.liberties) && skipSpace(text, loose.end) >= text.length ? loose : null;
  } catch (error) {
    if (error instanceof LooseError) return null;
    throw error;
  }
}

export function tableFromJson(name: string, value: unknown, wanted: string | null = null): RawTable {
  const found = rowsOf(name, value, wanted);
  if (found === null) {
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
  const { rows, problems } = found;
  if (rows.length === 0) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'This file contains an empty list.',
      where: name,
      action: 'Choose a file with at least one example in it.',
    });
  }
  const numbered = rows.map<RawRow>((row, i) => ({ row: i + 1, value: normaliseElement(row) }));
  return {
    fileType: 'json',
    columns: columnsOf(numbered),
    rows: numbered,
    problems,
    totalRows: rows.length + problems.reduce((n, p) => n + (p.dropped ? (p.rows ?? 0) : 0), 0),
    ...(found.built && { readOnly: true }),
  };
}

/** A string becomes a text; an array of objects becomes a conversation. */
export function normaliseElement(value: unknown): unknown {
  if (typeof value === 'string') return { text: value };
  if (Array.isArray(value) && value.length > 0 && value.every(isRecord)) return { messages: value };
  return value;
}
