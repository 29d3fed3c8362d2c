/**
 * JSON Lines: one object a line. A broken line costs that line only, and its problem names the line. A JSON file
 * called .jsonl (and the other way round) is read as what it is.
 */
import { TabtuneError } from '../base/errors';
import { explainJsonError } from './json-error';
import { normaliseElement, parseJson } from './parse-json';
import { excerpt, ProblemList } from './problems';
import { columnsOf, isRecord, type RawRow, type RawTable } from './raw-table';
import type { DataProblem } from './types';

/** Longer lines are refused: one conversation of 16 million letters is a file without line breaks, not an example. */
const MAX_LINE_CHARS = 16 * 2 ** 20;

/** Reads text that is JSON of either kind. Throws bad_data when no line can be read. */
export function parseJsonOrJsonl(name: string, text: string): RawTable {
  const start = text.trimStart()[0];
  if (start === '[' || start === '{') {
    const whole = tryParse(text);
    // A single object on one line is a JSONL file of one row: both readings agree, unless it only wraps the rows.
    if (whole !== undefined) return parseJson(name, text);
  }
  const jsonl = parseJsonl(text);
  const readable = jsonl.rows.filter(({ value }) => isRecord(value)).length;
  // Mostly objects, one a line: JSON Lines, or a JSON array that is broken somewhere and written one element a line.
  if (readable > 0 && readable >= jsonl.totalRows / 2) return jsonl;
  // Spread over lines like an array or an object, the file was meant as one JSON document: say where that breaks.
  if (start === '[' || (start === '{' && !/\.(jsonl|ndjson)$/i.test(name))) return parseJson(name, text);
  if (jsonl.rows.length > 0) return jsonl;
  const first = jsonl.problems.find((p) => p.row !== undefined);
  throw new TabtuneError({
    code: 'bad_data',
    message: `No line of this file is valid JSON.${first ? ` ${first.message}` : ''}`,
    where: first?.row ? `${name}, line ${first.row}` : name,
    action: first?.action ?? 'Write one JSON object a line.',
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
 * Rows are numbered by their line. Blank lines are nothing; every other line is a row or a problem. A JSON array that
 * is broken somewhere but written one element a line is read here too.
 */
export function parseJsonl(text: string): RawTable {
  const rows: RawRow[] = [];
  const problems = new ProblemList();
  let totalRows = 0;
  let array: boolean | null = null;
  for (const { line, content } of splitLines(text)) {
    // A byte order mark in the middle comes from files that were joined.
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
        message: `Line ${line} has ${source.length.toLocaleString('en')} letters: “${excerpt(source, 40)}”.`,
        action: 'It was left out. Write one example a line.',
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
  message: 'This JSON array is broken somewhere.',
  action: 'Its elements were read line by line; the broken ones are listed by line.',
  dropped: false,
};

/** The element on a line without the comma behind it and, in an array, without the array's own brackets. */
function withoutArrayMarks(source: string, array: boolean): unknown {
  const bare = source.endsWith(',') ? source.slice(0, -1) : source;
  const whole = bare === source ? undefined : tryParse(bare);
  if (whole !== undefined || !array) return whole;
  return tryParse(bare.replace(/^\[/, '')) ?? tryParse(bare.replace(/,?\s*\]$/, ''));
}

/** Lines ended by LF, CRLF or CR, in one file even; U+2028 is no line end, since JSON strings may hold it. */
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
