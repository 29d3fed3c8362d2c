/** Rows as the text of a file, in pieces that line ends go between. Written here, so that no reader of ours can agree with its own writer. */

export type Cells = Record<string, unknown>;

export const cell = (value: unknown, mark: string): string => {
  const text =
    value === null || value === undefined
      ? ''
      : typeof value === 'string'
        ? value
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value);
  return text.includes(mark) || text.includes('"') || text.includes('\n') ? `"${text.replaceAll('"', '""')}"` : text;
};
export const python = (value: unknown): string => {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value as object)
      .map(([k, v]) => `'${k}': ${python(v)}`)
      .join(', ')}}`;
  return typeof value === 'string' ? `'${value}'` : String(value);
};

export interface TableOptions {
  mark?: string;
  header?: boolean;
  above?: string[];
}
export const table =
  ({ mark = ',', header = true, above = [] }: TableOptions = {}) =>
  (rows: Cells[]): string[] => [
    ...above,
    ...(header
      ? [
          Object.keys(rows[0]!)
            .map((name) => cell(name, mark))
            .join(mark),
        ]
      : []),
    ...rows.map((row) =>
      Object.values(row)
        .map((value) => cell(value, mark))
        .join(mark),
    ),
  ];
/** TSV as many tools write it: nothing is quoted. */
export const bare =
  (header: boolean) =>
  (rows: Cells[]): string[] => [
    ...(header ? [Object.keys(rows[0]!).join('\t')] : []),
    ...rows.map((row) =>
      Object.values(row)
        .map((value) => String(value ?? ''))
        .join('\t'),
    ),
  ];
export const jsonLines = (rows: Cells[]) => rows.map((row) => JSON.stringify(row));
export const document = (make: (rows: Cells[]) => unknown) => (rows: Cells[]) =>
  JSON.stringify(make(rows), null, 1).split('\n');
