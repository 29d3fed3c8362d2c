/** Several tables of one file: the sheets of a workbook, the files of an archive. Equal ones are one dataset. */
import { TabtuneError } from '../base/errors';
import { excerpt, nameList } from './problems';
import { columnsOf, isRecord, type RawRow, type RawTable } from './raw-table';
import { sideOf } from './split-column';
import type { DataProblem } from './types';

export interface NamedTable {
  name: string;
  table: RawTable;
}

/** The part of a dataset that a name stands for (“data/train-00000.jsonl”, “Test”); null if for none. */
export function splitOf(name: string): string | null {
  // The file's own name says more than its folders: my_test/train.jsonl is for training.
  const words = name
    .split('/')
    .reverse()
    .flatMap((part) => (part.match(/[a-z]+/gi) ?? []).reverse());
  return words.find((word) => sideOf(word) !== undefined)?.toLowerCase() ?? null;
}

/** Whether the tables have nearly the same columns. */
function sameColumns(tables: readonly NamedTable[]): boolean {
  const first = new Set(tables[0]!.table.columns);
  return tables.every(({ table: { columns } }) => {
    const shared = columns.filter((column) => first.has(column)).length;
    return shared >= 1 && shared >= Math.max(columns.length, first.size) * 0.75;
  });
}

/** Parts of one dataset: the same columns, and names of parts or of files of one kind. */
function belongTogether(tables: readonly NamedTable[]): boolean {
  const kinds = new Set(tables.map(({ name }) => /\.[a-z0-9]+$/i.exec(name)?.[0].toLowerCase() ?? ''));
  return sameColumns(tables) && (kinds.size === 1 || tables.every(({ name }) => splitOf(name) !== null));
}

/**
 * One table of all rows, numbered through; a column says which table a row is from. Throws a question if the columns differ,
 * unless `asked`: a person wants them all.
 */
export function combine(
  where: string,
  tables: readonly NamedTable[],
  kind: 'sheets' | 'files',
  asked: boolean,
): RawTable {
  if (tables.length === 1) return tables[0]!.table;
  if (!asked && !belongTogether(tables)) throw askTable(where, tables, kind);
  const texts = tables.every(({ table }) => table.fileType === 'text');
  const splits = tables.map(({ name }) => splitOf(name));
  const split = splits.every((part) => part !== null) && new Set(splits).size > 1;
  const taken = new Set(tables.flatMap(({ table }) => table.columns));
  const column = [split ? 'split' : 'file', 'from_file', '_file'].find((key) => !taken.has(key)) ?? '__file';
  const rows: RawRow[] = [];
  const problems: DataProblem[] = [];
  let before = 0;
  tables.forEach(({ name, table }, k) => {
    for (const { row, value } of table.rows) {
      if (isRecord(value) && !texts) value[column] = split && column === 'split' ? splits[k] : name;
      rows.push({ row: before + row, value });
    }
    for (const problem of table.problems) {
      problems.push({
        ...problem,
        message: `${excerpt(name, 40)}: ${problem.message}`,
        ...(problem.row !== undefined && { row: before + problem.row }),
      });
    }
    // Rows of JSONL files are numbered by line, which can be more than there are rows.
    before += Math.max(table.totalRows, table.rows.at(-1)?.row ?? 0);
  });
  const counts = tables.map(({ name, table }) => `“${excerpt(name, 30)}” (${table.rows.length})`);
  problems.unshift({
    severity: 'warning',
    code: `several_${kind}`,
    message: `The file has ${tables.length} ${kind} with rows: ${counts.slice(0, 8).join(', ')}${counts.length > 8 ? ', …' : ''}.`,
    action: texts ? 'All were read.' : `All were read; the column “${column}” says which one a row is from.`,
    dropped: false,
  });
  return {
    fileType: tables[0]!.table.fileType,
    columns: columnsOf(rows),
    rows,
    problems,
    totalRows: tables.reduce((n, { table }) => n + table.totalRows, 0),
    headerless: tables.some(({ table }) => table.headerless),
    encoding:
      tables.find(({ table }) => table.encoding && table.encoding.name !== 'utf-8')?.table.encoding ??
      tables[0]!.table.encoding,
    readOnly: true,
  };
}

function askTable(where: string, tables: readonly NamedTable[], kind: 'sheets' | 'files'): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: `This file has ${tables.length} ${kind} that are not parts of one dataset: ${nameList(
      tables.map(({ name }) => name),
      8,
    )}.`,
    where,
    action: 'Choose the one to learn from.',
    choices: tables.slice(0, 8).map(({ name, table }) => ({
      label: `${excerpt(name, 40)} (${table.rows.length} rows: ${excerpt(table.columns.join(', '), 40)})`,
      set: { 'dataset.table': name },
    })),
  });
}
