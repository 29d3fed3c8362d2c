/**
 * JSON Lines: one object per line. A broken line affects only itself, and its problem gives the line number. A JSON
 * file called .jsonl, or the reverse, is read according to its contents.
 */

import { TabtuneError } from '../base/errors';
import { breaksIn } from './csv-records';
import { explainJsonError } from './json-error';
import { DOUBLE_ENCODED, rowsOf, unwrapRow } from './json-shapes';
import { parseJsonText } from './json-text';
import { LooseError, readLoose, skipSpace } from './loose-json';
import { isSafe, libertyWords, normaliseElement, parseJson } from './parse-json';
import { excerpt, LIMIT_PER_CODE, ProblemList } from './problems';
import { columnsOf, isRecord, type RawRow, type RawTable } from './raw-table';
import { tellReading } from './reading-progress';
import type { DataProblem } from './types';

/** Longer lines are refused: 16 million characters are a file without line breaks, not an example. */
const MAX_LINE_CHARS = 16 * 2 ** 20;

/** Reads JSON of either kind. Throws bad_data if no line can be read. `wanted`: the list that a person chose. */
export function parseJsonOrJsonl(name: string, text: string, wanted: string | null = null): RawTable {
  const start = text.trimStart()[0];
  if (start === '[' || start === '{' || start === '"') {
    // A single object on one line is also a JSONL file with one row. Both readings agree unless it only wraps the rows.
    if (isJson(text)) return parseJson(name, text, wanted);
  }
  // Lines that are no values by themselves may be parts of longer ones: objects over several lines, one after another.
  const line = /\S.*/.exec(text)?.[0].trimEnd() ?? '';
  const first = /^[[{]/.test(line) && !/[\]}],?$/.test(line) ? parseSequence(text) : null;
  if (first && first.totalRows === first.rows.length) return first;
  const jsonl = parseJsonl(text);
  const sequence = first ?? (jsonl.totalRows > jsonl.rows.length ? parseSequence(text) : null);
  if (sequence && sequence.totalRows === sequence.rows.length) return sequence;
  const readable = jsonl.rows.filter(({ value }) => isRecord(value)).length;
  // Mostly one object per line: JSON Lines, or a broken JSON array with one element per line.
  const lines = readable > 0 && readable >= jsonl.totalRows / 2;
  if (start === '[') {
    const whole = tryWhole(name, text, wanted);
    if (whole) return whole;
  }
  if (lines) return jsonl;
  if (sequence && start !== '[' && sequence.rows.length > readable) return sequence;
  // An array or object spread over several lines was meant as one JSON document, so report where that breaks.
  if (start === '[' || (start === '{' && !/\.(jsonl|ndjson)$/i.test(name))) return parseJson(name, text, wanted);
  if (jsonl.rows.length > 0) return jsonl;
  const worst = jsonl.problems.find((p) => p.row !== undefined);
  throw new TabtuneError({
    code: 'bad_data',
    message: `No line of this file is valid JSON.${worst ? ` ${worst.message}` : ''}`,
    where: worst?.row ? `${name}, line ${worst.row}` : name,
    action: worst?.action.replace('It was left out. ', '') ?? 'Write one JSON object per line.',
  });
}

/** A document with slips that change nothing, such as a comma after its last element. */
function tryWhole(name: string, text: string, wanted: string | null): RawTable | null {
  try {
    return parseJson(name, text, wanted);
  } catch (error) {
    // A question is an answer as well: the document was read.
    if (error instanceof TabtuneError && error.choices) throw error;
    return null;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Undefined if the text is not one JSON value. */
function tryParse(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}

/** A line's value, if it is JSON but for slips that change nothing. */
function tryLoose(source: string): { value: unknown; words: string[] } | null {
  try {
    const loose = readLoose(source, 0);
    if (!isSafe(loose.liberties) || skipSpace(source, loose.end) < source.length) return null;
    return { value: loose.value, words: libertyWords(loose.liberties) };
  } catch (error) {
    if (error instanceof LooseError) return null;
    throw error;
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
  let double = false;
  let broken = 0;
  for (const { line, content } of splitLines(text)) {
    // Concatenated files can have a byte order mark in the middle.
    const source = content.charCodeAt(0) === 0xfeff ? content.slice(1).trim() : content.trim();
    if (source === '') continue;
    if (array === null) {
      array = source[0] === '[' && tryParse(source) === undefined;
      if (array) problems.add(BROKEN_ARRAY);
    }
    if (array && /^[[\]],?$/.test(source)) continue;
    if (source.startsWith('//') || source.startsWith('# ')) {
      problems.add({
        severity: 'warning',
        code: 'comment',
        row: line,
        message: `Line ${line} is a comment, which JSON does not allow: “${excerpt(source, 40)}”.`,
        action: 'It is not a row, so it was left out.',
        dropped: false,
      });
      continue;
    }
    totalRows++;
    tellReading('rows', totalRows);
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
      const value = parseJsonText(source);
      const inner = unwrapRow(value);
      if (typeof value === 'string' && inner !== value) double = true;
      rows.push({ row: line, value: normaliseElement(inner) });
    } catch (error) {
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
      const loose = source[0] === '{' || source[0] === '[' ? tryLoose(source) : null;
      if (loose) {
        rows.push({ row: line, value: normaliseElement(loose.value) });
        problems.add({
          severity: 'warning',
          code: 'loose_json',
          row: line,
          message: `Line ${line} is not quite JSON: it has ${loose.words.join(', ')}.`,
          action: 'It was read anyway. Write the file with json.dumps to be sure.',
          dropped: false,
        });
        continue;
      }
      // The reasons of thousands of broken lines are not read, and take long to find.
      problems.add(++broken > LIMIT_PER_CODE ? { ...BROKEN_LINE, row: line } : brokenLine(line, source, error));
    }
  }
  if (double) problems.add(DOUBLE_ENCODED);
  return finish({ fileType: 'jsonl', columns: [], rows, problems: problems.list(), totalRows });
}

function brokenLine(line: number, source: string, error: unknown): DataProblem {
  if (error instanceof LooseError) {
    return {
      severity: 'error',
      code: 'broken_line',
      row: line,
      message: `Line ${line} cannot be read: ${error.what}.`,
      action: 'It was left out.',
      dropped: true,
    };
  }
  const { column, what, action } = explainJsonError(source);
  return {
    severity: 'error',
    code: 'broken_line',
    row: line,
    message: `Line ${line} is not valid JSON: ${what} (column ${column}).`,
    action: `It was left out. ${action}`,
    dropped: true,
  };
}

/** Lines that are lists of plain values get names for their columns, as in a table without a header. */
function finish(table: RawTable): RawTable {
  const { rows } = table;
  const lists =
    rows.length > 0 &&
    rows
      .slice(0, 50)
      .every(({ value }) => Array.isArray(value) && value.every((v) => v === null || typeof v !== 'object'));
  if (!lists) return { ...table, columns: columnsOf(rows) };
  const found = rowsOf(
    '',
    rows.map(({ value }) => value),
    null,
  )!;
  const shift = rows.length - found.rows.length;
  const named = found.rows.map((value, i) => ({ row: rows[i + shift]!.row, value }));
  return {
    ...table,
    columns: columnsOf(named),
    rows: named,
    problems: [...table.problems, ...found.problems],
    totalRows: table.totalRows - shift,
    readOnly: true,
  };
}

/**
 * Values one after another, each over as many lines as it needs: pretty-printed JSON Lines, concatenated files. After a broken
 * one, reading goes on at the next line that begins like the first. Rows are numbered in order.
 */
function parseSequence(text: string): RawTable | null {
  const rows: RawRow[] = [];
  const problems = new ProblemList();
  const words = new Set<string>();
  let totalRows = 0;
  let line = 1;
  let counted = 0;
  let at = skipSpace(text, 0);
  if (text[at] !== '{' && text[at] !== '[') return null;
  while (at < text.length) {
    totalRows++;
    tellReading('rows', totalRows);
    try {
      const { value, end, liberties } = readLoose(text, at);
      if (!isSafe(liberties)) throw new LooseError(at, 'it has words without quotes, or quotes that are not escaped');
      for (const word of libertyWords(liberties)) words.add(word);
      if (Array.isArray(value) && value.some(isRecord)) {
        // Concatenated arrays: each element is a row.
        totalRows += value.length - 1;
        for (const element of value) rows.push({ row: rows.length + 1, value: normaliseElement(element) });
      } else rows.push({ row: totalRows, value: normaliseElement(value) });
      at = skipSpace(text, end);
      if (text[at] === ',') at = skipSpace(text, at + 1);
    } catch (error) {
      if (!(error instanceof LooseError)) throw error;
      // Lines are counted on from the last error, not from the beginning.
      line += breaksIn(text, counted, error.at);
      counted = error.at;
      problems.add({
        severity: 'error',
        code: 'broken_line',
        row: totalRows,
        message: `Row ${totalRows} is not valid JSON: ${error.what} (line ${line}).`,
        action: 'It was left out.',
        dropped: true,
      });
      const next = /^[[{]/gm;
      next.lastIndex = Math.max(at + 1, error.at);
      const found = next.exec(text);
      at = found ? found.index : text.length;
    }
  }
  if (rows.length === 0) return null;
  if (words.size > 0) {
    problems.add({
      severity: 'warning',
      code: 'loose_json',
      message: `This is not quite JSON: it has ${[...words].join(', ')}.`,
      action: 'It was read anyway. Write the file with json.dumps to be sure.',
      dropped: false,
    });
  }
  return finish({ fileType: 'jsonl', columns: [], rows, problems: problems.list(), totalRows, readOnly: true });
}

const BROKEN_LINE: DataProblem = {
  severity: 'error',
  code: 'broken_line',
  message: 'The line is not valid JSON.',
  action: 'It was left out.',
  dropped: true,
};

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
