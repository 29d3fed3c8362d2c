/**
 * The CoNLL format for tagged text: one word per line, columns separated by tabs or spaces, the tag in the last column.
 * A blank line ends a sentence (Tjong Kim Sang and De Meulder, 2003). `-DOCSTART-` lines and comments are not words.
 */
import type { RawRow, RawTable } from './raw-table';

const BREAK = /\r\n|\n|\r/;
/** Lines examined to detect the format. */
const SAMPLE = 400;
const BIO = /^(O|[BIESLU]-\S+)$/;

interface Columns {
  count: number;
  split(line: string): string[];
}

/** How most lines are split into columns; null if they have only one. */
function columnsOf(lines: readonly string[]): Columns | null {
  const words = lines.filter((line) => line.trim() !== '' && !line.startsWith('-DOCSTART-'));
  if (words.length === 0) return null;
  const tabs = words.filter((line) => line.includes('\t')).length > words.length / 2;
  const split = (line: string) => (tabs ? line.trimEnd().split('\t') : line.trim().split(/\s+/));
  const counts = new Map<number, number>();
  for (const line of words) {
    const n = split(line).length;
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  const [count] = [...counts].sort((a, b) => b[1] - a[1])[0]!;
  return count >= 2 ? { count, split } : null;
}

/** Comments have a different number of columns from words: "# newdoc id = …". */
const isComment = (line: string, { count, split }: Columns) => /^#\s/.test(line) && split(line).length !== count;

/**
 * Whether a text is in this format. Normally only BIO tags are recognised. With `anyTags` (set if the file name or a
 * person says so), it is enough that most lines have the same number of columns.
 */
export function looksConll(text: string, anyTags: boolean): boolean {
  const lines = text.slice(0, 100_000).split(BREAK).slice(0, SAMPLE);
  // The last line may be cut off.
  if (text.length > 100_000 || lines.length === SAMPLE) lines.pop();
  const columns = columnsOf(lines);
  if (!columns) return false;
  let words = 0;
  let names = 0;
  let longest = 0;
  for (const line of lines) {
    if (line.trim() === '' || line.startsWith('-DOCSTART-') || isComment(line, columns)) continue;
    const parts = columns.split(line);
    words++;
    longest = Math.max(longest, line.length);
    const tag = parts.at(-1)!;
    if (anyTags) {
      // A column of lists means that this is a table.
      if (/^"?\[.*\]"?$/.test(tag)) return false;
      if (parts.length === columns.count) names++;
      continue;
    }
    if (parts.length < 2 || !BIO.test(tag)) return false;
    if (tag !== 'O') names++;
  }
  // Mistakes in single lines are reported as problems of their rows.
  return anyTags ? names > words / 2 && longest < 400 : words >= 2 && names > 0;
}

/** Returns sentences as rows of tokens and tags. A line without a tag gives null, which to-examples.ts reports. */
export function parseConll(text: string): RawTable {
  const lines = text.split(BREAK);
  const columns = columnsOf(lines) ?? { count: 2, split: (line: string) => line.trim().split(/\s+/) };
  const rows: RawRow[] = [];
  let tokens: string[] = [];
  let tags: (string | null)[] = [];
  const flush = () => {
    if (tokens.length > 0) rows.push({ row: rows.length + 1, value: { tokens, tags } });
    tokens = [];
    tags = [];
  };
  for (const line of lines) {
    if (line.trim() === '') {
      flush();
      continue;
    }
    if (line.startsWith('-DOCSTART-') || isComment(line, columns)) continue;
    const parts = columns.split(line);
    tokens.push(parts[0]!);
    tags.push(parts.length < 2 || parts.at(-1) === '' ? null : parts.at(-1)!);
  }
  flush();
  return { fileType: 'text', columns: ['tokens', 'tags'], rows, problems: [], totalRows: rows.length };
}
