/** What `npm run inspect` prints: in snake_case, as summary.json, and short however large the file is. */
import type { DataProblem, ParsedDataset } from '../data/types';
import { usageSentence } from '../data/usage';

/** Rows that are named for each kind of problem. */
const FIRST_ROWS = 5;

export interface ProblemGroup {
  code: string;
  severity: DataProblem['severity'];
  count: number;
  /** Rows that were left out because of it. */
  rows_lost: number;
  first_rows: number[];
  /** Of the first. */
  message: string;
  action: string;
}

/** Problems by kind, in the order in which the kinds were met. */
export function problemGroups(problems: readonly DataProblem[]): ProblemGroup[] {
  const groups = new Map<string, ProblemGroup>();
  for (const { code, severity, row, message, action, dropped } of problems) {
    const key = `${code} ${severity}`;
    const group = groups.get(key) ?? { code, severity, count: 0, rows_lost: 0, first_rows: [], message, action };
    groups.set(key, group);
    group.count++;
    if (dropped) group.rows_lost++;
    if (row !== undefined && group.first_rows.length < FIRST_ROWS) group.first_rows.push(row);
  }
  return [...groups.values()];
}

export function rowsOf({ totalRows, examples }: ParsedDataset) {
  const lost = totalRows - examples.length;
  return { total: totalRows, examples: examples.length, lost, lost_share: totalRows === 0 ? 0 : lost / totalRows };
}

/** Which columns the examples are made of, and why the others are not used. */
export function columnsOf(dataset: ParsedDataset) {
  const { uses } = dataset;
  return {
    used: uses.flatMap(({ column, part, filled, note }) => (part === null ? [] : [{ column, part, filled, as: note }])),
    not_used: uses.flatMap(({ column, part, filled, note }) => (part === null ? [{ column, filled, why: note }] : [])),
    usage: usageSentence(dataset),
  };
}
