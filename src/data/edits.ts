/** What can be done to the rows of a file; each edit is one step that can be undone. */
export type DatasetEdit =
  /** Column -> new value, in one row. */
  | { kind: 'cells'; row: number; fields: Record<string, string> }
  /** Takes rows out of the file. */
  | { kind: 'remove'; rows: readonly number[] }
  /** Takes the spaces off the beginnings and ends of the texts. */
  | { kind: 'trim' }
  /** Writes “&amp;” and its like as the characters that they stand for. */
  | { kind: 'entities' };
