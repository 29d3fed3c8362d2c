/** Columns inside other columns: `input.messages` for {"input": {"messages": […]}}, `instances.output` for lists of objects. */
import { readLiteral } from './literal';
import { field, isRecord, type RawTable } from './raw-table';
import { asTurns } from './turns';

const SAMPLE = 300;
const MOST = 200;
const DEEPEST = 5;

/** A stretch of rows from the beginning, the middle and the end. */
function sample(table: RawTable): readonly { value: unknown }[] {
  const { rows } = table;
  if (rows.length <= SAMPLE) return rows;
  const part = SAMPLE / 3;
  const middle = Math.floor(rows.length / 2);
  return [...rows.slice(0, part), ...rows.slice(middle, middle + part), ...rows.slice(-part)];
}

/** Objects written out as text in a column, as CSV files hold them, become objects. */
export function unwrapObjects(table: RawTable): RawTable {
  const rows = sample(table);
  const wrapped = table.columns.filter((column) => {
    const filled = rows
      .map(({ value }) => field(value, column))
      .filter((v) => v !== undefined && v !== null && v !== '');
    return filled.length > 0 && filled.every((v) => typeof v === 'string' && isRecord(objectIn(v)));
  });
  if (wrapped.length === 0) return table;
  return {
    ...table,
    rows: table.rows.map(({ row, value }) => {
      if (!isRecord(value)) return { row, value };
      const open = wrapped.map((column) => [column, objectIn(field(value, column)) ?? field(value, column)]);
      return { row, value: { ...value, ...Object.fromEntries(open) } };
    }),
  };
}

function objectIn(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'string') return undefined;
  const read = readLiteral(value);
  return read.kind === 'value' && isRecord(read.value) ? read.value : undefined;
}

/** Paths of all values inside objects and lists of objects, conversations whole. */
export function nestedColumns(table: RawTable): string[] {
  const paths = new Set<string>();
  const walk = (value: unknown, path: string, depth: number) => {
    if (paths.size >= MOST || asTurns(value)) {
      if (path.includes('.')) paths.add(path);
      return;
    }
    const inner = Array.isArray(value) ? value.find(isRecord) : value;
    if (isRecord(inner) && depth < DEEPEST) {
      for (const [key, next] of Object.entries(inner)) if (!key.includes('.')) walk(next, `${path}.${key}`, depth + 1);
    } else if (path.includes('.')) paths.add(path);
  };
  for (const { value } of sample(table)) {
    if (isRecord(value)) for (const [key, inner] of Object.entries(value)) walk(inner, key, 1);
  }
  return [...paths];
}

/** How many objects a list on the way to a nested column has, if more than the first, which is the one that is read. */
export function itemsOnPath(value: unknown, column: string): number {
  if (!isRecord(value) || Object.hasOwn(value, column)) return 1;
  let at: unknown = value;
  for (const key of column.split('.')) {
    if (Array.isArray(at)) {
      if (at.length > 1) return at.length;
      at = at[0];
    }
    at = isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return 1;
}
