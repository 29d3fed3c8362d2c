/**
 * CSV, TSV and their cousins with semicolons, through Papa Parse. The header is not taken for granted: many public
 * files (AG News, Sentiment140) have none, and reading their first row as names loses a row and finds no column.
 */
import Papa from 'papaparse';
import { TabtuneError } from '../base/errors';
import { excerpt, ProblemList } from './problems';
import type { RawRow, RawTable } from './raw-table';

const DELIMITERS = [',', '\t', ';', '|'];
/** Unclosed quotes that are repaired one by one before the rest of the file is given up. */
const MAX_REPAIRS = 50;
/** Names that no text would open a file with. */
const KNOWN_HEADERS =
  /^(id|idx|index|text|label|labels|class|category|title|content|prompt|completion|instruction|input|output|question|answer|response|context|source|target|messages?|conversations?|review|rating|sentiment|summary|chosen|rejected|name|date|url|score|user|assistant|system|query|reply)$/i;

/** Throws bad_data when the file has a header only, or no row that can be read. */
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
      message: `The first row looks like data, not like column names: “${excerpt(first.cells.join(delimiter), 60)}”.`,
      action: `The columns are called ${columns.slice(0, 3).join(', ')}${columns.length > 3 ? ', …' : ''}.`,
      dropped: false,
    });
  }

  const rows: RawRow[] = [];
  data.forEach(({ cells, line }, i) => {
    const row = i + 1;
    const extra = cells.slice(columns.length);
    if (extra.some((cell) => cell.trim() !== '')) {
      // The cells after an unquoted delimiter have all moved over: nothing in this row can be trusted.
      problems.add({
        severity: 'error',
        code: 'ragged_row',
        row,
        message: `Row ${row} (line ${line}) has ${cells.length} cells, but there are ${columns.length} columns: “${excerpt(cells.join(delimiter))}”.`,
        action: 'It was left out. Put double quotes around texts that hold the separator.',
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
 * Records in file order, blank ones left out. A quote that is never closed swallows the rest of the file; then that
 * line becomes a problem, and reading goes on behind it.
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
            message: `In the record of line ${recordLine} a double quote stands inside a quoted text: “${excerpt(cells.join(delimiter))}”.`,
            action: 'It was read as part of the text. Write it twice ("") to be sure.',
            dropped: false,
          });
        }
      }
      recordLine += 1 + cells.reduce((n, cell) => n + lineBreaks(cell), 0);
    });
    if (!open) break;
    // Papa gives the place of the quote; the record may have started lines before it, but the quote's line is torn.
    const quoteAt = open.index ?? 0;
    const lineEnd = rest.indexOf(newline, quoteAt);
    const quoteLine = line + lineBreaks(rest.slice(0, quoteAt));
    const giveUp = lineEnd === -1 || repairs >= MAX_REPAIRS;
    problems.add({
      severity: 'error',
      code: 'unclosed_quote',
      message: `In line ${quoteLine} a quoted text is never closed: “${excerpt(rest.slice(quoteAt, quoteAt + 80))}”.`,
      action:
        giveUp && lineEnd !== -1
          ? 'Everything after it was left out. Close the quotes and open the file again.'
          : 'That line was left out. Close the quote, or write a quote inside a text twice ("").',
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
 * The delimiter that splits the first records into the most evenly many cells. A comma wins ties: prose has commas,
 * but a file whose cells hold semicolons in equal number in every row is rare.
 */
export function sniffDelimiter(text: string): string {
  const sample = text.slice(0, 200_000);
  let best = { delimiter: ',', score: 0 };
  for (const delimiter of DELIMITERS) {
    const { data, errors } = Papa.parse<string[]>(sample, { delimiter, preview: 30, skipEmptyLines: 'greedy' });
    const counts = data.map((cells) => cells.length);
    if (counts.length === 0 || counts[0]! < 2) continue;
    const same = counts.filter((n) => n === counts[0]).length / counts.length;
    // Quotes that do not fit are a sign that this is not the delimiter.
    const score = same - (errors.some((e) => e.type === 'Quotes') ? 0.5 : 0);
    if (score > best.score + 0.01) best = { delimiter, score };
  }
  return best.delimiter;
}

/** Whether the first record names the columns: by known names first, then by how it differs from the rows below. */
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
  // A column of numbers below a word.
  const numeric = names.some((name, i) => name !== '' && rest.every((r) => isNumber((r[i] ?? '').trim())));
  if (numeric) return true;
  // A value that comes again below is a value ("spam", "ham"), not a name.
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

/** Header cells made into unique, non-empty names; `__proto__` and its like must not become property names. */
function nameColumns(cells: readonly string[], problems: ProblemList): string[] {
  const taken = new Set<string>();
  const renamed: string[] = [];
  const columns = cells.map((cell, i) => {
    const wanted = cell.trim();
    let name = wanted === '' || wanted === '__proto__' ? `column_${i + 1}` : wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted || `column_${i + 1}`}_${n}`;
    taken.add(name);
    if (name !== wanted)
      renamed.push(`${wanted === '' ? `(blank, number ${i + 1})` : `“${excerpt(wanted, 30)}”`} → “${name}”`);
    return name;
  });
  // Spreadsheets leave blank columns on the right; naming those is no news.
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
