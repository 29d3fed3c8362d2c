/** Several lists of rows in one JSON document: equal ones are one dataset, others are asked for. */
import { type Choice, TabtuneError } from '../base/errors';
import { built, type JsonRows, said } from './json-rows';
import { excerpt, nameList } from './problems';
import { isRecord } from './raw-table';
import { copySpellings } from './spellings';
import { sideOf } from './split-column';
import type { DataProblem } from './types';

/** `rowsIn` reads one list: the value may have wrappers around its rows. */
export function fromLists(
  name: string,
  value: Record<string, unknown>,
  lists: string[],
  wanted: string | null,
  rowsIn: (list: unknown[]) => JsonRows,
): JsonRows {
  const rowsAt = (key: string) => value[key] as unknown[];
  const beside = besides(value, lists);
  if (wanted !== null && wanted !== '*') {
    if (!lists.includes(wanted)) throw noSuchList(name, wanted, lists);
    const others = lists.filter((key) => key !== wanted);
    const found = rowsIn(rowsAt(wanted));
    return others.length === 0 ? found : { ...found, problems: [...found.problems, notRead(others), ...beside] };
  }
  if (lists.length === 1) {
    const found = rowsIn(rowsAt(lists[0]!));
    return { ...found, problems: [...found.problems, ...beside] };
  }
  if (wanted !== '*' && !sameShape(lists.map((key) => rowsIn(rowsAt(key).slice(0, 50)).rows)))
    throw askList(name, value, lists);
  const splits = lists.every((key) => sideOf(key) !== undefined);
  const taken = new Set(
    lists.flatMap((key) =>
      rowsAt(key)
        .slice(0, 1000)
        .flatMap((row) => (isRecord(row) ? Object.keys(row) : [])),
    ),
  );
  const column =
    ['split', 'list', 'list_name'].find((key) => (key !== 'split' || splits) && !taken.has(key)) ?? '_list';
  const rows = lists.flatMap((key) =>
    rowsIn(rowsAt(key)).rows.map((row) => {
      if (!isRecord(row)) return row;
      const out = { ...row, [column]: key };
      copySpellings(row, out);
      return out;
    }),
  );
  const counts = lists.map((key) => `“${excerpt(key, 30)}” (${rowsAt(key).length})`);
  return built(
    rows,
    said(
      'several_lists',
      `The file has ${lists.length} lists of rows: ${counts.slice(0, 8).join(', ')}${counts.length > 8 ? ', …' : ''}.`,
      `All were read; the column “${column}” says which one a row is from.`,
    ),
    ...beside,
  );
}

/** Other content of the object: it is not read. */
export function besides(value: Record<string, unknown>, read: readonly string[]): DataProblem[] {
  const others = Object.keys(value).filter((key) => !read.includes(key) && hasContent(value[key]));
  return others.length === 0 ? [] : [notRead(others)];
}

const hasContent = (value: unknown) =>
  Array.isArray(value)
    ? value.length > 0
    : isRecord(value) && Object.values(value).some((v) => typeof v === 'object' && v !== null);

const notRead = (keys: readonly string[]) =>
  said('unread_keys', `The file also has ${nameList(keys, 6)}.`, 'That was not read.');

function askList(name: string, value: Record<string, unknown>, lists: readonly string[]): TabtuneError {
  const choices: Choice[] = lists.slice(0, 8).map((key) => {
    const rows = value[key] as unknown[];
    const columns = Object.keys((rows.find(isRecord) as object | undefined) ?? {});
    return {
      label: `${excerpt(key, 30)} (${rows.length} rows: ${excerpt(columns.join(', '), 40)})`,
      set: { 'dataset.table': key },
    };
  });
  return new TabtuneError({
    code: 'bad_data',
    message: `This JSON file has ${lists.length} lists of rows with different columns: ${nameList(lists, 8)}.`,
    where: name,
    action: 'Choose the one to learn from.',
    choices,
  });
}

function noSuchList(name: string, wanted: string, lists: readonly string[]): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: `There is no list “${excerpt(wanted, 40)}” in this JSON file.`,
    where: name,
    action: `Choose one of these: ${nameList(lists, 8)}.`,
    choices: lists.slice(0, 8).map((key) => ({ label: excerpt(key, 30), set: { 'dataset.table': key } })),
  });
}

/** Whether lists have nearly the same columns. */
function sameShape(lists: readonly unknown[][]): boolean {
  const columns = lists.map((rows) => {
    const names = new Set<string>();
    for (const row of rows) if (isRecord(row)) for (const key of Object.keys(row)) names.add(key);
    return names;
  });
  const first = columns[0]!;
  return columns.every((names) => {
    const shared = [...names].filter((key) => first.has(key)).length;
    return shared >= 1 && shared >= Math.max(names.size, first.size) * 0.75;
  });
}
