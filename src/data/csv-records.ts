/**
 * Cuts the text of a CSV or TSV file into records. Quotes are read as most programs write them (RFC 4180), but a quote that
 * opens a cell by accident must not swallow the rows behind it: a cell that runs over several lines is accepted only if those
 * lines are not whole rows themselves. Papa Parse has no way to take such a cell back.
 */

import { tellReading } from './reading-progress';

export interface Dialect {
  /** Null: one column, each line a cell. */
  delimiter: string | null;
  /** Null: quotes are text. */
  quote: { open: string; close: string } | null;
  /** Also `\"` is a quote inside a quoted cell, as MySQL and many scripts write it. */
  backslash: boolean;
  /** A carriage return alone ends a line, as on old Macs. */
  loneCr: boolean;
}

export interface CsvRecord {
  cells: string[];
  /** 1-based line of the file where the record starts. */
  line: number;
  /** A quote opened a cell and was read as text, because taking it as a quote would have swallowed whole rows. */
  opened?: true;
  /** A quote stands inside a quoted cell. */
  stray?: true;
  /** The record has several lines, each of which could be a row itself. */
  doubtful?: number;
}

export interface Records {
  records: CsvRecord[];
  /** Records in which an opening quote was read as text. */
  opened: number;
  stray: number;
}

/** How far a quote's end is searched for, after so many searches that led nowhere: reading must take linear time. */
const REACH: [searches: number, characters: number][] = [
  [200, 2_000],
  [20, 20_000],
];
/** Lines of a long cell that are looked at to judge it. */
const JUDGED_LINES = 60;

/** `width`: the cells of a row, if known. `limit`: the most records. Blank records are left out. */
export function readRecords(text: string, dialect: Dialect, width: number | null, limit = Infinity): Records {
  const reader = new RecordReader(text, dialect, width);
  const records: CsvRecord[] = [];
  while (records.length < limit) {
    const record = reader.next();
    if (record === null) break;
    tellReading('rows', records.length);
    if (record.cells.some((cell) => cell !== '' && cell.trim() !== '')) records.push(record);
  }
  return { records, opened: reader.opened, stray: reader.stray };
}

/** The cells of one line by itself: a quote that does not close on the line is text. */
export function cellsOfLine(line: string, dialect: Dialect): string[] {
  return new RecordReader(line, dialect, null, true).next()?.cells ?? [];
}

class RecordReader {
  opened = 0;
  stray = 0;
  /** A cell without an opening quote ended with a closing one. */
  loose = false;
  private at = 0;
  private line = 1;
  private farSearches = 0;
  private readonly text: string;
  private readonly dialect: Dialect;
  private readonly width: number | null;
  private readonly oneLine: boolean;
  private nextCr: number;
  private readonly anyCr: boolean;

  constructor(text: string, dialect: Dialect, width: number | null, oneLine = false) {
    this.text = text;
    this.dialect = dialect;
    this.width = width;
    this.oneLine = oneLine;
    this.nextCr = dialect.loneCr ? text.indexOf('\r') : -1;
    this.anyCr = text.includes('\r');
  }

  next(): CsvRecord | null {
    if (this.at >= this.text.length) return null;
    const { text, dialect } = this;
    const start = this.at;
    const end = this.lineEnd(start);
    const line = this.line;
    const plain = text.slice(start, end);
    if (dialect.delimiter === null && dialect.quote === null) {
      this.goTo(end);
      return { cells: [plain], line };
    }
    if (dialect.quote === null || !plain.includes(dialect.quote.open)) {
      this.goTo(end);
      return { cells: dialect.delimiter === null ? [plain] : plain.split(dialect.delimiter), line };
    }
    return this.quoted(start, line);
  }

  /** Where the line that contains `from` ends. */
  private lineEnd(from: number): number {
    if (this.oneLine) return this.text.length;
    const lf = this.text.indexOf('\n', from);
    let end = lf === -1 ? this.text.length : lf;
    if (this.dialect.loneCr) {
      if (this.nextCr !== -1 && this.nextCr < from) this.nextCr = this.text.indexOf('\r', from);
      // nextCr can be before a cell that was skipped, or far behind; only the first behind `from` matters.
      if (this.nextCr !== -1 && this.nextCr < end) end = this.nextCr;
    } else if (this.anyCr && end > from && this.text.charCodeAt(end - 1) === 13) end--;
    return end;
  }

  /** The start of the line behind a line end. */
  private behind(end: number): number {
    const c = this.text.charCodeAt(end);
    return c === 13 && this.text.charCodeAt(end + 1) === 10 ? end + 2 : end + 1;
  }

  private goTo(end: number): void {
    this.at = this.behind(end);
    this.line++;
  }

  private isLineEnd(at: number): boolean {
    if (at >= this.text.length) return true;
    if (this.oneLine) return false;
    const c = this.text.charCodeAt(at);
    return c === 10 || (c === 13 && (this.dialect.loneCr || this.text.charCodeAt(at + 1) === 10));
  }

  private quoted(start: number, line: number): CsvRecord {
    const { text, dialect } = this;
    const { delimiter } = dialect;
    const quote = dialect.quote!;
    const record: CsvRecord = { cells: [], line };
    let i = start;
    let recordEnd = this.lineEnd(start);
    for (;;) {
      let j = i;
      while (text[j] === ' ') j++;
      let done = false;
      if (text[j] === quote.open) {
        // Behind a space a quote belongs to the text as often as not, so it must close on its line.
        const found = this.closing(j + 1, recordEnd, i === j && !this.oneLine);
        if (found && found.at > recordEnd) {
          const doubt = this.judge(start, found.at);
          if (doubt !== 'swallows') {
            if (doubt === 'doubtful') record.doubtful = this.linesBetween(start, found.at).length;
            recordEnd = this.lineEnd(found.at);
            done = true;
          }
        } else if (found) done = true;
        if (found && done) {
          if (found.stray) record.stray = true;
          record.cells.push(this.unescape(text.slice(j + 1, found.at)));
          i = found.behind;
        } else if (i === j) {
          record.opened = true;
        }
      }
      if (!done) {
        const next = delimiter === null ? -1 : text.indexOf(delimiter, i);
        const end = next === -1 || next > recordEnd ? recordEnd : next;
        const cell = text.slice(i, end);
        if (cell.trimEnd().endsWith(quote.close)) this.loose = true;
        record.cells.push(cell);
        i = end;
      }
      if (i >= recordEnd) break;
      i += delimiter?.length ?? 0;
      if (delimiter === null) break;
      if (i >= recordEnd) {
        record.cells.push('');
        break;
      }
    }
    if (record.opened) this.opened++;
    if (record.stray) this.stray++;
    this.line += breaksIn(text, start, recordEnd);
    this.goTo(recordEnd);
    return record;
  }

  /**
   * The quote that closes a cell: one before a separator or a line end. Null if there is none (within reach).
   * `lineEnd`: where the opening quote's line ends; `far`: whether to look behind it.
   */
  private closing(from: number, lineEnd: number, far: boolean): { at: number; behind: number; stray: boolean } | null {
    const { text, dialect } = this;
    const { open, close } = dialect.quote!;
    const reach = far ? lineEnd + (REACH.find(([searches]) => this.farSearches >= searches)?.[1] ?? Infinity) : lineEnd;
    let stray = false;
    let at = from;
    for (;;) {
      at = text.indexOf(close, at);
      if (at === -1 || at > reach) {
        if (far) this.farSearches++;
        return null;
      }
      if (dialect.backslash && isEscaped(text, at)) {
        at++;
        continue;
      }
      if (open === close && text[at + 1] === close) {
        at += 2;
        continue;
      }
      let behind = at + 1;
      while (text[behind] === ' ') behind++;
      if (this.isLineEnd(behind) || (dialect.delimiter !== null && text.startsWith(dialect.delimiter, behind))) {
        if (dialect.delimiter !== null || this.isLineEnd(behind)) return { at, behind, stray };
      }
      stray = true;
      at++;
    }
  }

  private unescape(cell: string): string {
    const { close, open } = this.dialect.quote!;
    let out = cell;
    if (open === close && out.includes(close)) out = out.replaceAll(close + close, close);
    if (this.dialect.backslash && out.includes('\\')) {
      out = out.replace(/\\([\\"'])/g, (whole, c: string) => (c === close || c === '\\' ? c : whole));
    }
    return out;
  }

  private linesBetween(start: number, to: number, most = Infinity): string[] {
    const lines: string[] = [];
    for (let at = start; at <= to && lines.length < most; ) {
      const end = this.lineEnd(at);
      lines.push(this.text.slice(at, end));
      at = this.behind(end);
    }
    return lines;
  }

  /** Whether a quoted cell that ends on a later line is one cell, or swallows rows. */
  private judge(start: number, close: number): 'cell' | 'doubtful' | 'swallows' {
    const { width, dialect } = this;
    if (width === null) return 'cell';
    const lines = this.linesBetween(start, close, JUDGED_LINES);
    const last = this.text.slice(this.text.lastIndexOf('\n', close) + 1, this.lineEnd(close));
    // A row that begins with a quoted cell cannot stand inside another: its quotes would have to be doubled.
    if ([...lines.slice(1), last].some((line) => this.isWholeRow(line, width))) {
      this.farSearches++;
      return 'swallows';
    }
    if (width < 2) return 'cell';
    const right = lines.filter((line) => line.trim() !== '' && cellsOfLine(line, dialect).length === width).length;
    const filled = lines.filter((line) => line.trim() !== '').length;
    const first = cellsOfLine(lines[0]!, dialect).length === width;
    // A long run of rows may have a broken one among them.
    const rows = filled >= 6 ? right >= filled * 0.8 && first : right === filled && right === lines.length;
    if (!rows) return 'cell';
    const closes = this.closesByItself(last);
    // Nobody doubles quotes by accident.
    const { open, close: end } = dialect.quote!;
    const doubled = open === end && lines.some((line) => line.includes(end + end));
    if (closes || dialect.delimiter === '\t' || (!doubled && width * lines.length >= 9)) {
      this.farSearches++;
      return 'swallows';
    }
    return 'doubtful';
  }

  private isWholeRow(line: string, width: number): boolean {
    if (!line.startsWith(this.dialect.quote!.open)) return false;
    const reader = new RecordReader(line, this.dialect, null, true);
    const record = reader.next();
    return !reader.loose && record?.cells.length === width && !record.opened && !record.stray;
  }

  /** Whether each quote of a line is closed on it, so that the line needs none that was opened before. */
  private closesByItself(line: string): boolean {
    const reader = new RecordReader(line, this.dialect, null, true);
    const record = reader.next();
    return !reader.loose && !record?.opened;
  }
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === 92) slashes++;
  return slashes % 2 === 1;
}

/** Line breaks in a part of a text; CRLF is one. */
export function breaksIn(text: string, from: number, to: number): number {
  let n = 0;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === 10 || (c === 13 && text.charCodeAt(i + 1) !== 10)) n++;
  }
  return n;
}
