/** Rows found in a JSON document, and what to say about where they were. */
import type { DataProblem } from './types';

export interface JsonRows {
  rows: unknown[];
  problems: DataProblem[];
  /** The rows were built from something else, so that the file cannot be written back from them. */
  built: boolean;
}

/** Null if there are none. */
export type Found = JsonRows | null;

export const plain = (rows: unknown[]): JsonRows => ({ rows, problems: [], built: false });
export const built = (rows: unknown[], ...problems: DataProblem[]): JsonRows => ({ rows, problems, built: true });

export const said = (code: string, message: string, action: string, rows?: number): DataProblem => ({
  severity: 'warning',
  code,
  message,
  action,
  dropped: false,
  ...(rows !== undefined && { rows }),
});
