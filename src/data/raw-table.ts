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
}

/** Rows examined to collect the column names. Columns that appear only later are still read. */
const COLUMN_SAMPLE = 1000;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A column's value. Only own properties, because a column called `constructor` must not reach the prototype. */
export function field(value: unknown, column: string | undefined): unknown {
  if (column === undefined || !isRecord(value)) return undefined;
  return Object.hasOwn(value, column) ? value[column] : undefined;
}

export function columnsOf(rows: readonly RawRow[]): string[] {
  const columns = new Set<string>();
  for (const { value } of rows.slice(0, COLUMN_SAMPLE)) {
    if (isRecord(value)) for (const key of Object.keys(value)) columns.add(key);
  }
  return [...columns];
}
