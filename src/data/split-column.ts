/** A column that says which rows are for training and which for validation. */
import type { ColumnSet } from './column-set';
import type { ColumnProfile } from './columns';

export type Side = 'train' | 'validation';

const SIDES: Record<string, Side | 'test'> = {
  train: 'train',
  training: 'train',
  trn: 'train',
  validation: 'validation',
  valid: 'validation',
  val: 'validation',
  dev: 'validation',
  development: 'validation',
  eval: 'validation',
  evaluation: 'validation',
  test: 'test',
  testing: 'test',
  heldout: 'test',
  holdout: 'test',
};

/** The part of a dataset that a word stands for. */
export const sideOf = (value: unknown): Side | 'test' | undefined =>
  SIDES[
    String(value ?? '')
      .trim()
      .toLowerCase()
      .replace(/[^a-z]/g, '')
  ];

const isSplit = (p: ColumnProfile) =>
  p.values !== null && p.values.size <= 6 && [...p.values.keys()].every((value) => sideOf(value) !== undefined);

export function findSplit(columns: ColumnSet): ColumnProfile | undefined {
  return columns.pick('split', { where: isSplit });
}

/** Rows called test are held out only where no row is called validation; otherwise they belong to a later test. */
export class SplitReader {
  private readonly testIs: Side | null;

  constructor(column: ColumnProfile) {
    const sides = [...(column.values?.keys() ?? [])].map(sideOf);
    this.testIs = sides.includes('validation') ? null : 'validation';
  }

  /** Null: the row is neither trained on nor evaluated. Undefined: the column is empty here, so the row can be on either side. */
  side(value: unknown): Side | null | undefined {
    const side = sideOf(value);
    return side === 'test' ? this.testIs : side;
  }
}
