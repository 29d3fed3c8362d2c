/** What each column of a file holds, from which detect.ts infers the format. Counted over all rows; only what is costly is sampled. */
import { Stream, uniform } from '../base/random';
import { readLiteral } from './literal';
import { plainName } from './parts';
import { bestAndWorst } from './ranked';
import { field, isRecord, type RawTable } from './raw-table';
import { asTurns, isOpen, isTranscript, startsWithAnswer } from './turns';

export interface ColumnProfile {
  name: string;
  /** The last part of a nested column's path, as names are compared. */
  key: string;
  /** Words of the name, in lower case. */
  words: readonly string[];
  /** Rows that have something in it. */
  filled: number;
  /** Distinct values of plain columns and how often they occur; null if there are more than 64. */
  values: ReadonlyMap<string, number> | null;
  /** Rows of all values are different. */
  unique: boolean;
  // Of a sample of the filled values:
  /** Share that are conversations. */
  turns: number;
  /** The conversations have `from` and `value`. */
  sharegpt: boolean;
  /** Share of the conversations that end before the answer. */
  open: number;
  /** Share of the conversations that are answers alone. */
  answers: number;
  /** Share that are conversations written as text: "Human: … Assistant: …". */
  transcripts: number;
  /** Mean letters of the values that are strings (lettersIn). */
  meanLength: number;
  textual: boolean;
  numeric: boolean;
  boolean: boolean;
  /** Share that are objects written out as text. */
  objects: number;
  /** Has lists or objects that are not conversations. */
  nested: boolean;
  /** Share that are lists of plain values. */
  lists: number;
  /** Share that are lists of answers with a judgement each, of which one is the best. */
  ranked: number;
  distinct: number;
}

const SAMPLE = 400;
const MANY = 64;

/** "Non-preferred output", "nonPreferredOutput" and "non_preferred_output" are the same words. */
export const wordsOf = (name: string): string[] =>
  name
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);

const isEmpty = (value: unknown) =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

export function profile(table: RawTable, column: string): ColumnProfile {
  const filledRows: number[] = [];
  let values: Map<string, number> | null = new Map();
  const seen = new Set<unknown>();
  for (const [i, { value }] of table.rows.entries()) {
    const found = field(value, column);
    if (isEmpty(found)) continue;
    filledRows.push(i);
    if (typeof found === 'object') {
      values = null;
      continue;
    }
    if (seen.size < 100_000) seen.add(found);
    if (!values) continue;
    const text = String(found).trim();
    values.set(text, (values.get(text) ?? 0) + 1);
    if (values.size > MANY) values = null;
  }
  const sample = sampled(filledRows).map((i) => field(table.rows[i]!.value, column));
  return {
    name: column,
    key: plainName(column.split('.').at(-1) ?? column) || plainName(column),
    words: wordsOf(column),
    filled: filledRows.length,
    values,
    unique: seen.size > 1 && seen.size === Math.min(filledRows.length, 100_000),
    ...contentsOf(sample),
  };
}

/** At most SAMPLE of them, one at random from each equal stretch: what is periodic in a file is not missed. */
function sampled(rows: readonly number[]): readonly number[] {
  if (rows.length <= SAMPLE) return rows;
  const stretch = rows.length / SAMPLE;
  return Array.from({ length: SAMPLE }, (_, i) => rows[Math.floor((i + uniform(0, Stream.columns, i)) * stretch)]!);
}

type Contents = Omit<ColumnProfile, 'name' | 'key' | 'words' | 'filled' | 'values' | 'unique'>;

function contentsOf(sample: readonly unknown[]): Contents {
  const count = {
    turns: 0,
    from: 0,
    open: 0,
    answers: 0,
    transcripts: 0,
    letters: 0,
    texts: 0,
    numbers: 0,
    booleans: 0,
    nested: 0,
    lists: 0,
    ranked: 0,
    objects: 0,
  };
  const distinct = new Set<unknown>();
  for (const value of sample) {
    if (Array.isArray(value) && Array.isArray(bestAndWorst(value))) count.ranked++;
    const list = asTurns(value) ?? alternatives(value);
    if (list) {
      count.turns++;
      if (list.some((turn) => 'from' in turn && 'value' in turn)) count.from++;
      if (isOpen(list)) count.open++;
      if (startsWithAnswer(list)) count.answers++;
      continue;
    }
    if (asList(value)) count.lists++;
    if (typeof value === 'string') {
      count.texts++;
      count.letters += lettersIn(value);
      if (/^\s*[+-]?[\d.,]+\s*$/.test(value)) count.numbers++;
      if (/^\s*(true|false)\s*$/i.test(value)) count.booleans++;
      if (isTranscript(value)) count.transcripts++;
      if (/^\s*\{/.test(value) && readLiteral(value).kind === 'value') count.objects++;
      distinct.add(value);
    } else if (typeof value === 'number') {
      count.numbers++;
      distinct.add(value);
    } else if (typeof value === 'boolean') {
      count.booleans++;
      distinct.add(value);
    } else count.nested++;
  }
  const all = Math.max(1, sample.length);
  return {
    turns: count.turns / all,
    sharegpt: count.from > count.turns / 2,
    open: count.open / Math.max(1, count.turns),
    answers: count.answers / Math.max(1, count.turns),
    transcripts: count.transcripts / all,
    meanLength: count.texts === 0 ? 0 : count.letters / count.texts,
    textual: count.texts > 0 && count.numbers < all * 0.9 && count.booleans < all * 0.9,
    numeric: sample.length > 0 && count.numbers >= all * 0.9,
    boolean: sample.length > 0 && count.booleans >= all * 0.9,
    nested: count.nested > 0,
    objects: count.objects / all,
    lists: count.lists / all,
    ranked: count.ranked / all,
    distinct: distinct.size,
  };
}

/** Length in letters of an alphabet: a Chinese, Japanese or Korean character says as much as three. */
function lettersIn(text: string): number {
  return (
    text.length +
    2 *
      (text.slice(0, 500).match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ??
        0)
  );
}

/** Several conversations where one is expected: the first. */
const alternatives = (value: unknown) =>
  Array.isArray(value) && Array.isArray(value[0]) && value[0].some(isRecord) ? asTurns(value[0]) : null;

/** A list of plain values (strings, numbers, booleans, null), or its text as JSON, Python or numpy write it; otherwise null. */
export function asList(value: unknown): unknown[] | null {
  let list = value;
  if (typeof value === 'string') {
    const read = readLiteral(value);
    if (read.kind !== 'value') return null;
    list = read.value;
  }
  return Array.isArray(list) && list.every((v) => v === null || typeof v !== 'object') ? list : null;
}

/** Columns that identify, date or locate a row, which are never learned unless a person says so. */
export function isId(p: ColumnProfile): boolean {
  return (
    /^(idx|index|uuid|guid|hash|url|link|date|time|timestamp|createdat|updatedat|datetime|source|lang|language|split|subset|name|file|filename|author|license|generator|numturns|numtokens|unnamed\d*)$/.test(
      p.key,
    ) ||
    p.words.some((word) => /^ids?$/.test(word)) ||
    (/id$/.test(p.key) && !/(val|pa|b|gr|sa|sol|hum|avo|cov|flu|vo|rap)id$/.test(p.key))
  );
}

/** Names that say that an answer is the worse one. Such a column is never taken for the answer. */
const WORSE = new Set(
  `rejected reject bad worse worst loser losing lose lost dispreferred unpreferred nonpreferred negative neg wrong incorrect unwanted
  undesirable disliked undesired unchosen nonchosen poor falsch incorrecta`.split(/\s+/),
);
const DENIED = new Set(['preferred', 'chosen', 'helpful', 'selected', 'accepted', 'good', 'desired']);

export function isWorse({ words }: Pick<ColumnProfile, 'words'>): boolean {
  return words.some(
    (word, i) => WORSE.has(word) || (DENIED.has(word) && /^(non|not|un|dis|less|in)$/.test(words[i - 1] ?? '')),
  );
}
