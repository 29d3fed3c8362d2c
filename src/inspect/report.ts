/** What `npm run inspect` prints: in snake_case, as summary.json, and short however large the file is. */

import { encodingLabel } from '../base/encodings';
import type { Choice } from '../base/errors';
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
  /** What can be done about it at once: fields of a recipe. */
  choices?: Choice[];
}

/** Problems by kind, in the order in which the kinds were met. */
export function problemGroups(problems: readonly DataProblem[]): ProblemGroup[] {
  const groups = new Map<string, ProblemGroup>();
  for (const { code, severity, row, message, action, dropped, rows, choices } of problems) {
    const key = `${code} ${severity}`;
    const group = groups.get(key) ?? {
      ...{ code, severity, count: 0, rows_lost: 0, first_rows: [], message, action },
      ...(choices && { choices }),
    };
    groups.set(key, group);
    group.count += rows ?? 1;
    if (dropped) group.rows_lost += rows ?? 1;
    if (row !== undefined && group.first_rows.length < FIRST_ROWS) group.first_rows.push(row);
  }
  return [...groups.values()];
}

export function rowsOf({ totalRows, examples, leftOut }: ParsedDataset) {
  const share = totalRows === 0 ? 0 : leftOut / totalRows;
  return { total: totalRows, examples: examples.length, lost: leftOut, lost_share: Number(share.toFixed(4)) };
}

/** How the bytes became letters, and how sure that is; null for files that hold no text. */
export function encodingOf({ encoding, problems }: ParsedDataset, asked: string) {
  if (!encoding) return null;
  const guessed = problems.some(({ code }) => code === 'not_utf8');
  return {
    name: encoding.name,
    label: encodingLabel(encoding.name),
    sure: asked !== 'auto' ? 'chosen' : guessed ? 'guessed' : 'certain',
    sample: encoding.sample,
  };
}

const UNKNOWN = 'not known as a part of an example';

/** Which columns the examples are made of, and why the others are not used. */
export function columnsOf(dataset: ParsedDataset) {
  const { uses } = dataset;
  return {
    used: uses.flatMap(({ column, part, filled, note }) => (part === null ? [] : [{ column, part, filled, as: note }])),
    not_used: uses.flatMap(({ column, part, filled, note }) =>
      part === null ? [{ column, filled, why: note ?? UNKNOWN }] : [],
    ),
    usage: usageSentence(dataset),
  };
}
