/** Labels that are spread out: a column of 0 and 1 for each label, a vector of 0 and 1, several labels in one cell. */
import type { ColumnSet, Mapping } from './column-set';
import { asList, type ColumnProfile, isId } from './columns';
import { readLiteral } from './literal';
import { field, isRecord, type RawTable } from './raw-table';

const FLAG = /^(0|1|0\.0+|1\.0+|true|false|yes|no)$/i;
const YES = /^(1|1\.0+|true|yes)$/i;

export const isFlagged = (value: unknown) => YES.test(String(value ?? '').trim());

const isFlag = (p: ColumnProfile) =>
  p.values !== null && p.values.size <= 2 && [...p.values.keys()].every((value) => FLAG.test(value)) && !isId(p);

/** `label.toxic`, `label.obscene`, …: at least two columns of 0 and 1 that are filled in every row. */
export function oneHotColumns(columns: ColumnSet, rows: number, used: readonly string[]): Mapping {
  const flags = columns.free.filter((p) => !used.includes(p.name) && isFlag(p) && p.filled >= rows * 0.95);
  return flags.length < 2 ? {} : Object.fromEntries(flags.map((p) => [`label.${p.name}`, p.name]));
}

/** The labels of the columns that hold a 1; null if all of them are empty. */
export function labelsInColumns(value: Record<string, unknown>, mapping: Mapping): string[] | null {
  const entries = Object.entries(mapping).filter(([key]) => key.startsWith('label.'));
  const filled = entries.filter(([, column]) => {
    const found = field(value, column);
    return found !== undefined && found !== null && found !== '';
  });
  if (filled.length === 0) return null;
  return filled.filter(([, column]) => isFlagged(field(value, column))).map(([key]) => key.slice('label.'.length));
}

/**
 * How a label column is written: `plain`, a vector of 0 and 1 (`width` long) in every row, or several labels in a cell
 * with a `separator` between them.
 */
export type LabelWriting =
  | { kind: 'plain' }
  | { kind: 'vector'; width: number }
  | { kind: 'separated'; separator: RegExp; shown: string };

/** Decided over all rows: one row alone cannot tell [1, 0] from the labels 1 and 0. */
export function labelWriting(table: RawTable, column: string): LabelWriting {
  const values = table.rows.flatMap(({ value }) => {
    const found = isRecord(value) ? field(value, column) : undefined;
    return found === undefined || found === null || found === '' ? [] : [found];
  });
  return vectorOf(values) ?? separatedOf(values) ?? { kind: 'plain' };
}

function vectorOf(values: readonly unknown[]): LabelWriting | null {
  let width = 0;
  for (const value of values) {
    const list = asList(value);
    if (!list || list.length < 2 || (width > 0 && list.length !== width)) return null;
    width = list.length;
    if (!list.every((v) => FLAG.test(String(v).trim()))) return null;
  }
  return width > 0 ? { kind: 'vector', width } : null;
}

/** Cells such as "sport, news", where the parts are labels that stand alone or in other cells as well. */
function separatedOf(values: readonly unknown[]): LabelWriting | null {
  if (values.length < 2 || !values.every((value) => typeof value === 'string')) return null;
  if (values.some((value) => typeof value !== 'string' || readLiteral(value).kind !== 'none')) return null;
  const cells = values as readonly string[];
  for (const [separator, shown] of [
    [/\s*;\s*/, ';'],
    [/\s*\|\s*/, '|'],
    [/\s*,\s*/, ','],
  ] as const) {
    const lists = cells.map((cell) =>
      cell
        .split(separator)
        .map((part) => part.trim())
        .filter(Boolean),
    );
    const several = lists.filter((list) => list.length > 1);
    if (several.length === 0) continue;
    const counts = new Map<string, number>();
    for (const part of lists.flat()) counts.set(part.toLowerCase(), (counts.get(part.toLowerCase()) ?? 0) + 1);
    // Numbers with a decimal comma, and sentences, are no lists.
    const parts = [...counts.keys()];
    if (separator.source.includes(',') && several.every((list) => list.every((part) => /^\d+$/.test(part)))) continue;
    if (parts.some((part) => part.length > 40)) continue;
    const recurring = several.flat().filter((part) => counts.get(part.toLowerCase())! > 1).length;
    const all = several.flat().length;
    if (recurring >= all * 0.8 && parts.length <= Math.max(4, cells.length))
      return { kind: 'separated', separator, shown };
  }
  return null;
}
