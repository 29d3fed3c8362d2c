/** What every parser hands on: rows of named values, before anything is known of prompts or answers. */
import type { DataProblem, ParsedDataset } from './types';

export interface RawRow {
  /** 1-based: the line of a JSONL file, the data row of a CSV, the element of an array, the passage of a text. */
  row: number;
  /** Usually an object of columns; whatever else stood there is reported row by row by to-examples.ts. */
  value: unknown;
}

export interface RawTable {
  fileType: ParsedDataset['fileType'];
  /** In order of first appearance. */
  columns: string[];
  rows: RawRow[];
  problems: DataProblem[];
  /** Rows that the file has, unreadable ones included. */
  totalRows: number;
  /** The columns were named by us (`column_1`, …), because the file has no header. */
  headerless?: boolean;
}

/** Rows looked at to learn which columns there are; a shape that appears only later is still read row by row. */
const COLUMN_SAMPLE = 1000;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A column's value, own properties only: a column called `__proto__` or `constructor` must not reach the prototype. */
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
