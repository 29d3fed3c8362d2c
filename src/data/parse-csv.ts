/**
 * Parses CSV, TSV and variants with semicolons or pipes, using Papa Parse. A header is not taken for granted: many
 * public files (AG News, Sentiment140) have none, and reading their first row as names would lose a row and find no
 * column.
 */
import Papa from 'papaparse';
import { TabtuneError } from '../base/errors';
import { excerpt, ProblemList } from './problems';
import type { RawRow, RawTable } from './raw-table';

const DELIMITERS = [',', '\t', ';', '|'];
/** Unclosed quotes to repair before giving up on the rest of the file. */
const MAX_REPAIRS = 50;
/** Names that identify a header, because no text would start a file with them. */
const KNOWN_HEADERS =
  /^(id|idx|index|text|label|labels|class|category|title|content|prompt|completion|instruction|input|output|question|answer|response|context|source|target|messages?|conversations?|review|rating|sentiment|summary|chosen|rejected|name|date|url|score|user|assistant|system|query|reply)$/i;

/** Throws bad_data if the file has only a header, or no readable row. */
export function parseCsv(name: string, text: string): RawTable {
  const problems = new ProblemList();
  const delimiter = /\.(tsv|tab)$/i.test(name) && text.includes('\t') ? '\t' : sniffDelimiter(text);
  const records = readRecords(text, delimiter, problems);
  const first = records[0];
  if (!first) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'No row of this file can be read.',
      where: name,
      action: problems.list()[0]?.action ?? 'Choose a CSV file with a header and at least one row.',
    });
  }
  const headerless = !hasHeader(records.map((r) => r.cells));
  const columns = headerless ? first.cells.map((_, i) => `column_${i + 1}`) : nameColumns(first.cells, problems);
  const data = headerless ? records : records.slice(1);
  if (data.length === 0) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'This file has a header but no rows.',
      where: name,
      action: 'Add at least one example below the header.',
      details: `Columns: ${columns.join(', ')}`,
    });
  }
  if (headerless) {
    problems.add({
      severity: 'warning',
      code: 'no_header',
      message: `The first row looks like data rather than column names: “${excerpt(first.cells.join(delimiter), 60)}”.`,
      action: `The columns were named ${columns.slice(0, 3).join(', ')}${columns.length > 3 ? ', …' : ''}.`,
      dropped: false,
    });
  }

  const rows: RawRow[] = [];
  data.forEach(({ cells, line }, i) => {
    const row = i + 1;
    const extra = cells.slice(columns.length);
    if (extra.some((cell) => cell.trim() !== '')) {
      // All cells after an unquoted delimiter are shifted, so nothing in this row can be trusted.
      problems.add({
        severity: 'error',
        code: 'ragged_row',
        row,
        message: `Row ${row} (line ${line}) has ${cells.length} cells, but there are ${columns.length} columns: “${excerpt(cells.join(delimiter))}”.`,
        action: 'It was left out. Put double quotes around cells that contain the separator.',
        dropped: true,
      });
      return;
    }
    if (cells.length < columns.length) {
      problems.add({
        severity: 'warning',
        code: 'short_row',
        row,
        message: `Row ${row} (line ${line}) has ${cells.length} cells, but there are ${columns.length} columns.`,
        action: 'The missing cells count as empty.',
        dropped: false,
      });
    }
    const value: Record<string, string> = Object.create(null);
    columns.forEach((column, k) => {
      value[column] = cells[k] ?? '';
    });
    rows.push({ row, value });
  });
  const fileType = delimiter === '\t' ? 'tsv' : 'csv';
  return { fileType, columns, rows, problems: problems.list(), totalRows: data.length, headerless };
}

interface CsvRecord {
  cells: string[];
  /** 1-based line of the file where the record starts. */
  line: number;
}

/**
 * Returns the records in file order, without blank ones. A quote that is never closed would swallow the rest of the
 * file, so its line becomes a problem and reading resumes after it.
 */
function readRecords(text: string, delimiter: string, problems: ProblemList): CsvRecord[] {
  const records: CsvRecord[] = [];
  let start = 0;
  let line = 1;
  for (let repairs = 0; start < text.length; repairs++) {
    const rest = start === 0 ? text : text.slice(start);
    const newline = /\r\n|\n|\r/.exec(rest.slice(0, 2 ** 20))?.[0] ?? '\n';
    const result = Papa.parse<string[]>(rest, { delimiter, newline: newline as '\n' });
    const open = result.errors.find((e) => e.code === 'MissingQuotes');
    const complete = open?.row === undefined ? result.data : result.data.slice(0, open.row);
    const malformed = new Set(result.errors.filter((e) => e.code === 'InvalidQuotes').map((e) => e.row));
    let recordLine = line;
    complete.forEach((cells, i) => {
      const blank = cells.every((cell) => cell.trim() === '');
      if (!blank) {
        records.push({ cells, line: recordLine });
        if (malformed.has(i)) {
          problems.add({
            severity: 'warning',
            code: 'stray_quote',
            message: `The row on line ${recordLine} has a double quote inside a quoted cell: “${excerpt(cells.join(delimiter))}”.`,
            action: 'It was read as part of the text. Write it twice ("") to be sure.',
            dropped: false,
          });
        }
      }
      recordLine += 1 + cells.reduce((n, cell) => n + lineBreaks(cell), 0);
    });
    if (!open) break;
    // Papa gives the position of the quote. The record may start earlier, but it is the quote's line that is broken.
    const quoteAt = open.index ?? 0;
    const lineEnd = rest.indexOf(newline, quoteAt);
    const quoteLine = line + lineBreaks(rest.slice(0, quoteAt));
    const giveUp = lineEnd === -1 || repairs >= MAX_REPAIRS;
    problems.add({
      severity: 'error',
      code: 'unclosed_quote',
      message: `Line ${quoteLine} has a quote that is never closed: “${excerpt(rest.slice(quoteAt, quoteAt + 80))}”.`,
      action:
        giveUp && lineEnd !== -1
          ? 'Everything after it was left out. Close the quotes and open the file again.'
          : 'That line was left out. Close the quote, or write it twice ("") if it is part of the text.',
      dropped: true,
    });
    if (giveUp) break;
    start += lineEnd + newline.length;
    line = quoteLine + 1;
  }
  return records;
}

function lineBreaks(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 10 || (c === 13 && text.charCodeAt(i + 1) !== 10)) n++;
  }
  return n;
}

/**
 * The delimiter that splits the first records most consistently into the same number of cells. A comma wins ties: prose
 * contains commas, but files whose cells contain the same number of semicolons in every row are rare.
 */
export function sniffDelimiter(text: string): string {
  const sample = text.slice(0, 200_000);
  let best = { delimiter: ',', score: 0 };
  for (const delimiter of DELIMITERS) {
    const { data, errors } = Papa.parse<string[]>(sample, { delimiter, preview: 30, skipEmptyLines: 'greedy' });
    const counts = data.map((cells) => cells.length);
    if (counts.length === 0 || counts[0]! < 2) continue;
    const same = counts.filter((n) => n === counts[0]).length / counts.length;
    // Misplaced quotes suggest that this is not the delimiter.
    const score = same - (errors.some((e) => e.type === 'Quotes') ? 0.5 : 0);
    if (score > best.score + 0.01) best = { delimiter, score };
  }
  return best.delimiter;
}

/** Whether the first record is a header, judged by known names and then by how it differs from the rows below. */
export function hasHeader(records: readonly string[][]): boolean {
  const [first, ...others] = records;
  if (!first) return false;
  const names = first.map((cell) => cell.trim());
  if (names.some((name) => KNOWN_HEADERS.test(name))) return true;
  const plausible = (name: string) =>
    name.length <= 60 && !/[\r\n]/.test(name) && !isNumber(name) && !/[.!?]$/.test(name);
  if (!names.every(plausible)) return false;
  const rest = others.slice(0, 100);
  if (rest.length === 0) return names.length > 1 && names.every((name) => name.length <= 30);
  // A word above a column of numbers.
  const numeric = names.some((name, i) => name !== '' && rest.every((r) => isNumber((r[i] ?? '').trim())));
  if (numeric) return true;
  // If it occurs again below, it is a value ("spam", "ham") and not a name.
  const repeated = names.some((name, i) => name !== '' && rest.some((r) => (r[i] ?? '').trim() === name));
  if (repeated) return false;
  const words = (text: string) => text.split(/\s+/).length;
  const longest = (cells: readonly string[]) => Math.max(...cells.map((cell) => cell.length));
  const mean = rest.reduce((sum, r) => sum + longest(r), 0) / rest.length;
  return names.every((name) => words(name) <= 4) && mean > longest(names) * 1.5;
}

function isNumber(text: string): boolean {
  return text !== '' && Number.isFinite(Number(text.replace(',', '.')));
}

/** Makes header cells into unique, non-empty names. `__proto__` must not become a property name. */
function nameColumns(cells: readonly string[], problems: ProblemList): string[] {
  const taken = new Set<string>();
  const renamed: string[] = [];
  const columns = cells.map((cell, i) => {
    const wanted = cell.trim();
    let name = wanted === '' || wanted === '__proto__' ? `column_${i + 1}` : wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted || `column_${i + 1}`}_${n}`;
    taken.add(name);
    if (name !== wanted)
      renamed.push(`${wanted === '' ? `(blank, column ${i + 1})` : `“${excerpt(wanted, 30)}”`} → “${name}”`);
    return name;
  });
  if (renamed.length > 0) {
    problems.add({
      severity: 'warning',
      code: 'renamed_columns',
      message: 'The header has blank, repeated or reserved names.',
      action: `They were renamed: ${renamed.slice(0, 8).join(', ')}${renamed.length > 8 ? ', …' : ''}.`,
      dropped: false,
    });
  }
  return columns;
}
