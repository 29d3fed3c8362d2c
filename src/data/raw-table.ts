/** The output of every parser: rows of named values, before prompts and answers are identified. */
import type { DataProblem, ParsedDataset } from './types';

export interface RawRow {
  /** 1-based: the line of a JSONL file, the data row of a CSV file, the element of an array, the passage of a text. */
  row: number;
  /** Usually an object with columns; to-examples.ts reports anything else. */
  value: unknown;
}

export interface RawTable {
  fileType: ParsedDataset['fileType'];
  /** In order of first appearance. */
  columns: string[];
  rows: RawRow[];
  problems: DataProblem[];
  /** Rows in the file, including unreadable ones. */
  totalRows: number;
  /** The file has no header, so its columns were named `column_1`, …. */
  headerless?: boolean;
  /** The file cannot be written back as rows, so its rows cannot be edited here. */
  readOnly?: boolean;
  /** How the file's text was decoded, and some words with letters beyond ASCII; left out if the file is not text. */
  encoding?: ParsedDataset['encoding'];
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A column's value, or the value at a path such as `input.messages`; of a list of objects on the way, the first. Only own
 * properties, because a column called `constructor` must not reach the prototype.
 */
export function field(value: unknown, column: string | undefined): unknown {
  if (column === undefined || !isRecord(value)) return undefined;
  if (Object.hasOwn(value, column)) return value[column];
  if (!column.includes('.')) return undefined;
  let at: unknown = value;
  for (const key of column.split('.')) {
    const inner = Array.isArray(at) ? at[0] : at;
    at = isRecord(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined;
  }
  return at;
}

/** A column's value as a number; NaN if it is empty or no number. */
export function numberIn(value: unknown, column: string | undefined): number {
  const found = field(value, column);
  return found === undefined || found === null || String(found).trim() === '' ? Number.NaN : Number(found);
}

/** The names in all rows: a column that only a few rows have counts as well. */
export function columnsOf(rows: readonly RawRow[]): string[] {
  const columns = new Set<string>();
  for (const { value } of rows) {
    if (isRecord(value)) for (const key in value) if (Object.hasOwn(value, key)) columns.add(key);
  }
  return [...columns];
}
