/**
 * JSON Lines: one object per line. A broken line affects only itself, and its problem gives the line number. A JSON
 * file called .jsonl, or the reverse, is read according to its contents.
 */
import { TabtuneError } from '../base/errors';
import { explainJsonError } from './json-error';
import { normaliseElement, parseJson } from './parse-json';
import { excerpt, ProblemList } from './problems';
import { columnsOf, isRecord, type RawRow, type RawTable } from './raw-table';
import type { DataProblem } from './types';

/** Longer lines are refused: 16 million characters are a file without line breaks, not an example. */
const MAX_LINE_CHARS = 16 * 2 ** 20;

/** Reads JSON of either kind. Throws bad_data if no line can be read. */
export function parseJsonOrJsonl(name: string, text: string): RawTable {
  const start = text.trimStart()[0];
  if (start === '[' || start === '{') {
    const whole = tryParse(text);
    // A single object on one line is also a JSONL file with one row. Both readings agree unless it only wraps the rows.
    if (whole !== undefined) return parseJson(name, text);
  }
  const jsonl = parseJsonl(text);
  const readable = jsonl.rows.filter(({ value }) => isRecord(value)).length;
  // Mostly one object per line: JSON Lines, or a broken JSON array with one element per line.
  if (readable > 0 && readable >= jsonl.totalRows / 2) return jsonl;
  // An array or object spread over several lines was meant as one JSON document, so report where that breaks.
  if (start === '[' || (start === '{' && !/\.(jsonl|ndjson)$/i.test(name))) return parseJson(name, text);
  if (jsonl.rows.length > 0) return jsonl;
  const first = jsonl.problems.find((p) => p.row !== undefined);
  throw new TabtuneError({
    code: 'bad_data',
    message: `No line of this file is valid JSON.${first ? ` ${first.message}` : ''}`,
    where: first?.row ? `${name}, line ${first.row}` : name,
    action: first?.action ?? 'Write one JSON object per line.',
  });
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Rows are numbered by line. Blank lines are ignored; every other line is a row or a problem. This also reads a broken
 * JSON array with one element per line.
 */
export function parseJsonl(text: string): RawTable {
  const rows: RawRow[] = [];
  const problems = new ProblemList();
  let totalRows = 0;
  let array: boolean | null = null;
  for (const { line, content } of splitLines(text)) {
    // Concatenated files can have a byte order mark in the middle.
    const source = content.charCodeAt(0) === 0xfeff ? content.slice(1).trim() : content.trim();
    if (source === '') continue;
    if (array === null) {
      array = source[0] === '[' && tryParse(source) === undefined;
      if (array) problems.add(BROKEN_ARRAY);
    }
    if (array && /^[[\]],?$/.test(source)) continue;
    totalRows++;
    if (source.length > MAX_LINE_CHARS) {
      problems.add({
        severity: 'error',
        code: 'line_too_long',
        row: line,
        message: `Line ${line} has ${source.length.toLocaleString('en')} characters: “${excerpt(source, 40)}”.`,
        action: 'It was left out. Write one example per line.',
        dropped: true,
      });
      continue;
    }
    try {
      rows.push({ row: line, value: normaliseElement(JSON.parse(source)) });
    } catch {
      const repaired = withoutArrayMarks(source, array);
      if (repaired !== undefined) {
        rows.push({ row: line, value: normaliseElement(repaired) });
        if (array) continue;
        problems.add({
          severity: 'warning',
          code: 'trailing_comma',
          row: line,
          message: `Line ${line} ends with a comma, as in a JSON array.`,
          action: 'It was read without the comma.',
          dropped: false,
        });
        continue;
      }
      const { column, what, action } = explainJsonError(source);
      problems.add({
        severity: 'error',
        code: 'broken_line',
        row: line,
        message: `Line ${line} is not valid JSON: ${what} (column ${column}).`,
        action: `It was left out. ${action}`,
        dropped: true,
      });
    }
  }
  return { fileType: 'jsonl', columns: columnsOf(rows), rows, problems: problems.list(), totalRows };
}

const BROKEN_ARRAY: DataProblem = {
  severity: 'warning',
  code: 'broken_array',
  message: 'This JSON array contains errors.',
  action: 'Its elements were read line by line, and the broken lines are listed.',
  dropped: false,
};

/** The element on a line, without a trailing comma and, in an array, without the array's brackets. */
function withoutArrayMarks(source: string, array: boolean): unknown {
  const bare = source.endsWith(',') ? source.slice(0, -1) : source;
  const whole = bare === source ? undefined : tryParse(bare);
  if (whole !== undefined || !array) return whole;
  return tryParse(bare.replace(/^\[/, '')) ?? tryParse(bare.replace(/,?\s*\]$/, ''));
}

/** Splits at LF, CRLF or CR, even mixed in one file. U+2028 is not a line end, because JSON strings may contain it. */
export function* splitLines(text: string): Generator<{ line: number; content: string }> {
  let start = 0;
  let line = 1;
  const end = /\r\n|\n|\r/g;
  for (let match = end.exec(text); match !== null; match = end.exec(text)) {
    yield { line: line++, content: text.slice(start, match.index) };
    start = end.lastIndex;
  }
  if (start < text.length) yield { line, content: text.slice(start) };
}
