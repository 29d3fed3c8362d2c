/** CSV, TSV and variants with semicolons or pipes, as spreadsheets, databases and scripts write them. */
import { TabtuneError } from '../base/errors';
import { type Sniffed, sniff } from './csv-dialect';
import { hasHeader, isNumber } from './csv-header';
import { breaksIn, type CsvRecord, type Dialect, readRecords } from './csv-records';
import { excerpt, ProblemList } from './problems';
import type { RawRow, RawTable } from './raw-table';

/** More opening quotes than this that close nothing, and the file does not use quotes as CSV does. */
const MAX_REPAIRS = 20;
/** Lines above a header that may be a title, a date or a note. */
const MAX_TITLES = 10;

/** Throws bad_data if the file has only a header, or no readable row. */
export function parseCsv(name: string, text: string): RawTable {
  const problems = new ProblemList();
  const tabs = /\.(tsv|tab)$/i.test(name) && text.includes('\t');
  const sniffed = sniff(text, tabs ? '\t' : null);
  const { records, dialect } = read(text, sniffed, problems);
  const { delimiter } = dialect;
  const table = tableOf(name, records, { width: sniffed.width, delimiter }, problems);
  const plainly = sniffed.skip === 0 && dialect.quote?.open === '"';
  return { ...table, fileType: delimiter === '\t' ? 'tsv' : 'csv', ...(!plainly && { readOnly: true }) };
}

/** What becomes of lines around a table that are not rows of it. */
const leftOut = (lines: number): string =>
  lines === 1 ? 'It is not a row, so it was left out.' : 'They are not rows, so they were left out.';

/** Names the columns of records, which may have a header or a title above it. Also for the sheets of a workbook. */
export function tableOf(
  name: string,
  all: readonly CsvRecord[],
  { width, delimiter }: { width: number; delimiter: string | null },
  problems: ProblemList,
): RawTable {
  if (all.length === 0) throw noRows(name, 'No row of this file can be read.');
  const start = headerAt(all, width);
  const end = tableEnd(all, start, width);
  const records = all.slice(start, end);
  if (end < all.length) {
    const notes = all.slice(end).map(({ cells }) => cells.filter((cell) => cell.trim() !== '').join(' '));
    problems.add({
      severity: 'warning',
      code: 'title_rows',
      message: `Below the rows ${notes.length === 1 ? 'is a line' : `are ${notes.length} lines`} of other text: “${excerpt(notes.join(' / '), 60)}”.`,
      action: leftOut(notes.length),
      dropped: false,
    });
  }
  if (start > 0) {
    const titles = all.slice(0, start).map(({ cells }) => cells.filter((cell) => cell.trim() !== '').join(' '));
    problems.add({
      severity: 'warning',
      code: 'title_rows',
      message: `Above the names of the columns ${start === 1 ? 'is a line' : `are ${start} lines`} of other text: “${excerpt(titles.join(' / '), 60)}”.`,
      action: leftOut(start),
      dropped: false,
    });
  }
  const headerless = !hasHeader(records.slice(0, 200).map((r) => r.cells));
  const header = headerless ? null : withRowNames(records, width, problems);
  const columns = header ? nameColumns(header, records, problems) : numbered(Math.max(width, records[0]!.cells.length));
  const data = headerless ? records : records.slice(1);
  if (data.length === 0) {
    throw noRows(name, 'This file has a header but no rows.', `Columns: ${columns.join(', ')}`);
  }
  if (headerless) {
    const first = records[0]!.cells.join(delimiter ?? ' ');
    problems.add({
      severity: 'warning',
      code: 'no_header',
      message: `The first row looks like data rather than column names: “${excerpt(first, 60)}”.`,
      action: `The columns were named ${columns.slice(0, 3).join(', ')}${columns.length > 3 ? ', …' : ''}.`,
      dropped: false,
    });
  }
  const rows = toRows(data, columns, delimiter, problems);
  if (rows.length === 0) throw allRagged(name, data, columns, delimiter);
  const written = start === 0 && end === all.length && (header === null || header.length === columns.length);
  return {
    fileType: 'csv',
    columns,
    rows,
    problems: problems.list(),
    totalRows: data.length,
    headerless,
    ...(!written && { readOnly: true }),
  };
}

function noRows(name: string, message: string, details?: string): TabtuneError {
  const action =
    details === undefined
      ? 'Choose a CSV file with a header and at least one row.'
      : 'Add at least one example below the header.';
  return new TabtuneError({ code: 'bad_data', message, where: name, action, details });
}

function read(text: string, { dialect, width, skip }: Sniffed, problems: ProblemList) {
  const body = skip === 0 ? text : text.slice(skip);
  const found = readRecords(body, dialect, width);
  const shift = breaksIn(text, 0, skip);
  if (skip > 0) for (const record of found.records) record.line += shift;
  const misplaced = found.opened + (dialect.delimiter === '\t' ? found.stray : 0);
  if (dialect.quote !== null && (found.opened > MAX_REPAIRS || (dialect.delimiter === '\t' && misplaced > 0))) {
    // Quotes are text in the whole file, if its lines are whole rows without them.
    const plain = { ...dialect, quote: null };
    const lines = readRecords(body, plain, width);
    if (share(lines.records, width) >= Math.max(0.98, share(found.records, width))) {
      for (const record of lines.records) record.line += shift;
      problems.add({
        severity: 'warning',
        code: 'quotes_as_text',
        message: `${misplaced.toLocaleString('en')} ${misplaced === 1 ? 'cell begins' : 'cells begin'} with a quote that closes nothing, so this file does not put quotes around cells.`,
        action: 'All its quotes were read as text, and each line as a row.',
        dropped: false,
      });
      return { records: lines.records, dialect: plain };
    }
  }
  reportQuotes(found.records, dialect, problems);
  if (dialect.backslash) {
    problems.add({
      severity: 'warning',
      code: 'backslash_quotes',
      message: 'Quotes inside cells are written as \\" in this file.',
      action: 'They were read as quotes, and \\\\ as a backslash.',
      dropped: false,
    });
  }
  return { records: found.records, dialect };
}

function share(records: readonly CsvRecord[], width: number): number {
  return records.filter((record) => record.cells.length === width).length / Math.max(1, records.length);
}

function reportQuotes(records: readonly CsvRecord[], { delimiter }: Dialect, problems: ProblemList): void {
  for (const { cells, line, opened, stray, doubtful } of records) {
    if (!opened && !stray && !doubtful) continue;
    const shown = excerpt(cells.join(delimiter ?? ''));
    if (opened) {
      problems.add({
        severity: 'warning',
        code: 'unclosed_quote',
        message: `Line ${line} has a quote that is never closed: “${shown}”.`,
        action: 'It was read as part of the text, and the next line as a separate row.',
        dropped: false,
      });
    } else if (stray) {
      problems.add({
        severity: 'warning',
        code: 'stray_quote',
        message: `The row on line ${line} has a double quote inside a quoted cell: “${shown}”.`,
        action: 'It was read as part of the text. Write it twice ("") to be sure.',
        dropped: false,
      });
    }
    if (doubtful) {
      problems.add({
        severity: 'warning',
        code: 'long_cell',
        message: `The row on line ${line} has a quoted cell over ${doubtful} lines, each of which could be a row: “${shown}”.`,
        action: 'It was read as one row. If it is several, remove the quote.',
        dropped: false,
      });
    }
  }
}

/** Where the table begins: behind a title or notes, whose lines fill one cell. */
function headerAt(records: readonly CsvRecord[], width: number): number {
  if (width < 2) return 0;
  let at = 0;
  while (at < MAX_TITLES && at < records.length - 1 && isTitle(records[at]!.cells, width)) at++;
  if (at === 0) return 0;
  const below = records.slice(at, at + 200).map(({ cells }) => cells);
  return below[0]!.length >= width - 1 && hasHeader(below) ? at : 0;
}

/** Totals, sources and notes below a table fill one cell of several. */
function tableEnd(records: readonly CsvRecord[], start: number, width: number): number {
  if (width < 2) return records.length;
  const filled = (at: number) => records[at]!.cells.filter((cell) => cell.trim() !== '').length;
  let end = records.length;
  while (end > start + 3 && records.length - end < 3 && filled(end - 1) <= 1 && isNote(records[end - 1]!.cells)) end--;
  // Rows that are mostly empty are rows.
  return end < records.length && filled(end - 1) > 1 ? end : records.length;
}

function isNote(cells: readonly string[]): boolean {
  return /^\s*(?:(?:grand )?total|sum|count|average|source|note|export(?:ed)?|generated|summe|gesamt|quelle|fuente|totale|итого|合计|合計|총계)\b|^\s*(?:итого|合计|合計|총계)|^\s*#/i.test(
    cells.find((cell) => cell.trim() !== '') ?? '',
  );
}

function isTitle(cells: readonly string[], width: number): boolean {
  const filled = cells.filter((cell) => cell.trim() !== '').length;
  return filled <= 1 || (cells.length !== width && /^\s*#/.test(cells[0]!)) || filled < width / 3;
}

/** The header; R leaves out the name above its row names. */
function withRowNames(records: readonly CsvRecord[], width: number, problems: ProblemList): string[] {
  const header = records[0]!.cells;
  const below = records.slice(1, 200);
  if (header.length !== width - 1 || below.length === 0) return header;
  const longer = below.filter(({ cells }) => cells.length === width);
  // A separator behind each row: the additional cell is the last one, and it is empty.
  if (longer.every(({ cells }) => cells.at(-1)!.trim() === '')) return header;
  const first = longer.map(({ cells }) => cells[0]!.trim());
  if (longer.length < below.length * 0.9 || !(first.every(isNumber) || new Set(first).size === first.length))
    return header;
  // The names of rows are short; a first column of texts means that a cell's comma was not quoted.
  if (first.some((cell) => cell.length > 20)) return header;
  problems.add({
    severity: 'warning',
    code: 'row_names',
    message: `The header has one name fewer than the rows have cells: the first column, “${excerpt(first[0]!, 20)}” and so on, has none.`,
    action: 'It was named “row_name”, as the names of rows that R and pandas write.',
    dropped: false,
  });
  return ['row_name', ...header];
}

function toRows(
  data: readonly CsvRecord[],
  columns: readonly string[],
  delimiter: string | null,
  problems: ProblemList,
): RawRow[] {
  const rows: RawRow[] = [];
  const width = columns.length;
  for (let i = 0; i < data.length; i++) {
    const { cells, line } = data[i]!;
    const row = i + 1;
    if (cells.length > width && cells.slice(width).some((cell) => cell.trim() !== '')) {
      // All cells after an unquoted separator are shifted, so nothing in this row can be trusted.
      problems.add({
        severity: 'error',
        code: 'ragged_row',
        row,
        message: `Row ${row} (line ${line}) has ${cells.length} cells, but there are ${width} columns: “${excerpt(cells.join(delimiter ?? ''))}”.`,
        action: 'It was left out. Put double quotes around cells that contain the separator.',
        dropped: true,
      });
      continue;
    }
    if (cells.length < width) {
      problems.add({
        severity: 'warning',
        code: 'short_row',
        row,
        message: `Row ${row} (line ${line}) has ${cells.length} cells, but there are ${width} columns.`,
        action: 'The missing cells count as empty.',
        dropped: false,
      });
    }
    const value: Record<string, string> = Object.create(null);
    for (let k = 0; k < width; k++) value[columns[k]!] = cells[k] ?? '';
    rows.push({ row, value });
  }
  return rows;
}

function allRagged(
  name: string,
  data: readonly CsvRecord[],
  columns: readonly string[],
  delimiter: string | null,
): TabtuneError {
  const counts = [...new Set(data.map(({ cells }) => cells.length))].sort((a, b) => a - b);
  const many = counts.length === 1 ? `${counts[0]}` : `${counts[0]} to ${counts.at(-1)}`;
  const mark = delimiter === '\t' ? 'a tab' : `“${delimiter}”`;
  return new TabtuneError({
    code: 'bad_data',
    message: `Every row has more cells than the header has names: ${many} cells, ${columns.length} ${columns.length === 1 ? 'column' : 'columns'} (${columns
      .map((c) => `“${excerpt(c, 20)}”`)
      .slice(0, 6)
      .join(', ')}).`,
    where: `${name}, line ${data[0]!.line}`,
    action: `Put double quotes around cells that contain ${mark}, or give every column a name.`,
    details: excerpt(data[0]!.cells.join(delimiter ?? ''), 120),
  });
}

const numbered = (width: number) => Array.from({ length: width }, (_, i) => `column_${i + 1}`);

/** Makes header cells into unique, non-empty names. `__proto__` must not become a property name. */
function nameColumns(given: readonly string[], records: readonly CsvRecord[], problems: ProblemList): string[] {
  // Separators at the ends of lines make columns without name and content.
  let end = given.length;
  while (
    end > 1 &&
    given[end - 1]!.trim() === '' &&
    records.every(({ cells }) => (cells[end - 1] ?? '').trim() === '')
  ) {
    end--;
  }
  const cells = given.slice(0, end);
  const taken = new Set<string>();
  const renamed: string[] = [];
  const columns = cells.map((cell, i) => {
    const wanted = cell.trim().replace(/\s+/g, ' ');
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
