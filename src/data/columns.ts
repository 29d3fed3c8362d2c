/** The names and contents of a file's columns, from which detect.ts infers its format. */
import { field, isRecord, type RawTable } from './raw-table';

const words = (list: string): readonly string[] => list.trim().split(/\s+/);
/** Names for each part, best first. They are compared in lower case, ignoring everything but letters and digits. */
export const NAMES = {
  messages: words('messages conversations conversation chat dialog dialogue turns history'),
  system: words('system systemprompt systemmessage'),
  instruction: words('instruction instructions'),
  context: words('input context inputs passage background'),
  prompt: words(`
    prompt question query input instruction problem request user human source src q usermessage userprompt
    customer customermessage inputtext article document task message goal
  `),
  completion: words(`
    completion answer response output reply solution assistant target chosen a bot gpt tgt summary
    highlights targettext outputtext agentresponse botresponse ouranswer ourreply
  `),
  text: words(`
    text sentence content review tweet comment body reviewtext headline utterance message document passage
    description query question title article story input prompt
  `),
  label: words(`
    label labels class category sentiment intent topic emotion labeltext target tag stars rating classname
    classindex spam
  `),
  tokens: words('tokens words tokenlist wordlist token word'),
  tags: words('nertags tags nerlabels labels ner postags pos chunktags upostags upos xpos entities tag label'),
} as const;

const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** The contents of a column, from a sample of its rows. */
export interface ColumnProfile {
  name: string;
  key: string;
  filled: number;
  /** Share of filled values that are conversations: arrays of {role, content} or {from, value}. */
  turns: number;
  sharegpt: boolean;
  /** Mean characters of the values that are strings. */
  meanLength: number;
  textual: boolean;
  numeric: boolean;
  boolean: boolean;
  /** Has lists or objects that are not conversations. */
  nested: boolean;
  /** Share of filled values that are lists of plain values. */
  lists: number;
  distinct: number;
}

const SAMPLE = 300;

export function profile(table: RawTable, column: string): ColumnProfile {
  let filled = 0;
  let turns = 0;
  let from = 0;
  let letters = 0;
  let texts = 0;
  let numbers = 0;
  let booleans = 0;
  let nested = 0;
  let lists = 0;
  const distinct = new Set<unknown>();
  const step = Math.max(1, Math.floor(table.rows.length / SAMPLE));
  for (let i = 0; i < table.rows.length; i += step) {
    const value = field(table.rows[i]!.value, column);
    if (value === undefined || value === null || value === '') continue;
    filled++;
    if (asList(value)) lists++;
    const list = asTurns(value);
    if (list) {
      turns++;
      if (list.some((turn) => 'from' in turn || 'value' in turn)) from++;
    } else if (typeof value === 'string') {
      texts++;
      letters += value.length;
      if (/^\s*[+-]?[\d.,]+\s*$/.test(value)) numbers++;
      if (/^(true|false)$/i.test(value)) booleans++;
      distinct.add(value);
    } else if (typeof value === 'number') {
      numbers++;
      distinct.add(value);
    } else if (typeof value === 'boolean') {
      booleans++;
      distinct.add(value);
    } else nested++;
  }
  return {
    name: column,
    key: plain(column),
    filled,
    turns: filled === 0 ? 0 : turns / filled,
    sharegpt: from > turns / 2,
    meanLength: texts === 0 ? 0 : letters / texts,
    textual: texts > 0 && numbers < filled * 0.9 && booleans < filled * 0.9,
    numeric: filled > 0 && numbers >= filled * 0.9,
    boolean: filled > 0 && booleans >= filled * 0.9,
    nested: nested > 0,
    lists: filled === 0 ? 0 : lists / filled,
    distinct: distinct.size,
  };
}

/** A conversation: a list of turns, or its JSON text, as in CSV files. Null if the value is not a conversation. */
export function asTurns(value: unknown): Record<string, unknown>[] | null {
  let list = value;
  if (typeof value === 'string' && /^\s*\[\s*\{/.test(value)) {
    try {
      list = JSON.parse(value);
    } catch {
      return null;
    }
  }
  if (!Array.isArray(list) || list.length === 0) return null;
  const turns = list.filter(isRecord);
  const first = turns[0];
  return first && ('role' in first || 'from' in first || 'content' in first) ? turns : null;
}

/** A list of plain values (strings, numbers, booleans, null), or its JSON text, as in CSV files; otherwise null. */
export function asList(value: unknown): unknown[] | null {
  let list = value;
  if (typeof value === 'string') {
    if (!/^\s*\[.*\]\s*$/s.test(value)) return null;
    try {
      list = JSON.parse(value);
    } catch {
      return null;
    }
  }
  return Array.isArray(list) && list.every((v) => v === null || typeof v !== 'object') ? list : null;
}

/** Columns that identify or date a row, which are never learned. */
export function isId(p: ColumnProfile): boolean {
  return /^(id|idx|index|uuid|guid|url|link|date|time|timestamp|source|lang|language|split|name|file|filename|author)$|id$/.test(
    p.key,
  );
}
