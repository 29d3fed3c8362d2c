/** How a table is written: its separator, its quotes, its line ends. Judged by which reading gives rows of one length. */
import { isKnownName, isNumber } from './csv-header';
import { type CsvRecord, cellsOfLine, type Dialect, readRecords } from './csv-records';

const DELIMITERS = [',', '\t', ';', '|'];
const SAMPLE_CHARS = 200_000;
const SAMPLE_RECORDS = 100;
const DOUBLE = { open: '"', close: '"' };
/** Tried only where nearly every line begins with one. */
const OTHER_QUOTES = [
  { open: "'", close: "'" },
  { open: '“', close: '”' },
  { open: '„', close: '“' },
  { open: '«', close: '»' },
];

export interface Sniffed {
  dialect: Dialect;
  /** The cells of a row: of most rows, or of the header if that fits as many. */
  width: number;
  /** The text behind a first line that names the separator (`sep=;`, which Excel understands). */
  skip: number;
}

/** The separator alone, for callers that have only that to decide. */
export function sniffDelimiter(text: string): string {
  return sniff(text, null).dialect.delimiter ?? ',';
}

export function sniff(text: string, delimiter: string | null): Sniffed {
  const named = /^sep=(.)[ \t]*(?:\r\n|\n|\r)/i.exec(text.slice(0, 20));
  const skip = named ? named[0].length : 0;
  const wanted = named ? named[1]! : delimiter;
  const cut = text.slice(skip, skip + SAMPLE_CHARS);
  // The last line of a sample may be cut off.
  const end = skip + SAMPLE_CHARS < text.length ? cut.lastIndexOf('\n') : -1;
  const sample = end > 0 ? cut.slice(0, end) : cut;
  const quote = unusualQuote(sample) ?? DOUBLE;
  let best: (Judged & { dialect: Dialect }) | null = null;
  for (const candidate of wanted === null ? DELIMITERS : [wanted]) {
    if (!sample.includes(candidate)) continue;
    const loneCr = endsWithCr(sample, candidate);
    const dialect: Dialect = { delimiter: candidate, quote, backslash: false, loneCr };
    const judged = judge(sample, dialect);
    if (judged.width < 2) continue;
    // A comma wins ties: prose contains commas, but cells with as many semicolons in every row are rare.
    // Unless its first line, where the names are, has none of them.
    const named = judged.headed && best?.headed === false && judged.score > best.score;
    if (best === null || named || judged.score > best.score + 0.01) best = { dialect, ...judged };
  }
  if (best === null || isOneColumn(sample, best)) {
    const lines = sample.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
    const quoted = lines.filter((line) => line.startsWith(quote.open)).length;
    const dialect: Dialect = {
      delimiter: null,
      // A column of sentences; quotes at its cells' ends count only if nearly all have them or cells run over lines.
      quote: quoted > 0 && wholeCells(sample, quote) ? quote : null,
      backslash: /\\"/.test(sample),
      loneCr: endsWithCr(sample, null),
    };
    return { dialect, width: 1, skip };
  }
  let { dialect, width } = best;
  if (quote === DOUBLE && /\\"/.test(sample)) {
    const escaped = { ...dialect, backslash: true };
    const judged = judge(sample, escaped);
    if (judged.score >= best.score && (judged.stray < best.stray || judged.score > best.score)) {
      dialect = escaped;
      width = judged.width;
    }
  }
  return { dialect, width, skip };
}

interface Judged {
  /** Share of records with the most common length, less a part for misplaced quotes. */
  score: number;
  width: number;
  stray: number;
  /** The first record has as many cells as most. */
  headed: boolean;
}

function judge(sample: string, dialect: Dialect): Judged & { records: CsvRecord[] } {
  // First each line by itself, to learn the width with which records over several lines are judged.
  const lines = sample.slice(0, 50_000).split(dialect.loneCr ? /\r\n|\n|\r/ : /\r?\n/);
  const alone = lines
    .filter((line) => line.trim() !== '')
    .slice(0, SAMPLE_RECORDS)
    .map((line) => cellsOfLine(line, dialect).length);
  const guess = mode(alone, alone[0] ?? 1);
  const { records, stray, opened } = readRecords(sample, dialect, guess, SAMPLE_RECORDS);
  const counts = records.map((record) => record.cells.length);
  const width = mode(counts, counts[0] ?? 1);
  const same = counts.filter((n) => n === width).length / Math.max(1, counts.length);
  const misplaced = (stray + opened) / Math.max(1, records.length);
  return { score: same - Math.min(0.5, misplaced), width, stray, headed: counts[0] === width, records };
}

/** The most common number; the preferred one if it is as common. */
function mode(numbers: readonly number[], preferred: number): number {
  const counts = new Map<number, number>();
  for (const n of numbers) counts.set(n, (counts.get(n) ?? 0) + 1);
  let best = preferred;
  for (const [n, many] of counts) if (many > (counts.get(best) ?? 0)) best = n;
  return best;
}

/**
 * One column of text whose commas separate nothing: the first line has none, or the lines agree on no number of cells and are
 * not mostly one name short of a header.
 */
function isOneColumn(sample: string, best: { dialect: Dialect; score: number; width: number }): boolean {
  const { records } = judge(sample, best.dialect);
  const first = records[0]!.cells.length;
  const more = records.filter((record) => record.cells.length > 1).length;
  if (first === 1) {
    // A title above a table has few cells too, and then all the rows below agree.
    const below = records.slice(1);
    const same = below.filter((record) => record.cells.length === best.width).length;
    if (more === 0 || same < below.length * 0.9) return true;
    if (best.dialect.delimiter === '\t') return false;
    // One name above rows of several cells; R leaves out the name of its row names, which are numbers.
    const named = isKnownName(records[0]!.cells[0]!) && !below[0]!.cells.some(isKnownName);
    return named && !below.every((record) => isNumber(record.cells[0]!.trim()));
  }
  const named = records[0]!.cells.every((cell) => cell.trim().length > 0 && cell.trim().length <= 40);
  return best.score < 0.5 && !named;
}

/** Whether quotes stand around whole lines or run over several, in a file with one column. */
function wholeCells(sample: string, quote: { open: string; close: string }): boolean {
  const { records, opened } = readRecords(
    sample,
    { delimiter: null, quote, backslash: false, loneCr: false },
    null,
    200,
  );
  return opened === 0 && records.length > 0;
}

/** Whether carriage returns alone end lines: there are no others, or the text between them and line feeds is whole rows. */
function endsWithCr(sample: string, delimiter: string | null): boolean {
  const lone = /\r(?!\n)/g;
  if (!lone.test(sample)) return false;
  if (!sample.includes('\n')) return true;
  if (delimiter === null) return false;
  const lines = sample.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
  const counts = lines.map((line) => line.split(delimiter).length);
  const width = mode(counts, counts[0] ?? 1);
  const apart = counts.filter((n) => n === width).length / counts.length;
  const together = sample
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(delimiter).length);
  const whole = together.filter((n) => n === mode(together, together[0] ?? 1)).length / together.length;
  return width > 1 && apart > whole;
}

/** Single or typographic quotes around nearly all cells: every line begins and ends with them. */
function unusualQuote(sample: string): { open: string; close: string } | null {
  const lines = sample
    .slice(0, 20_000)
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '')
    .slice(0, 50);
  if (lines.length < 2) return null;
  for (const quote of OTHER_QUOTES) {
    const both = lines.filter((line) => line.startsWith(quote.open) && line.trimEnd().endsWith(quote.close)).length;
    const between = lines.filter((line) => DELIMITERS.some((d) => line.includes(quote.close + d + quote.open))).length;
    if (both >= lines.length * 0.8 && between >= lines.length * 0.8) return quote;
  }
  return null;
}
