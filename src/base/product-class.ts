/** Products that share a choice of kernels, and what was timed for them on a card. */
import type { Family, Kernels } from './kernels';

export interface ProductClass {
  /** y = x·Wᵀ, dx = dy·W, or products like dW = dyᵀ·x. */
  kind: 'nt' | 'nn' | 'tn';
  /** Rows and columns of the result, and steps of its sums; of tn only the steps. */
  rows: number;
  columns: number;
  steps: number;
  /** How W is stored (engine/types.ts). */
  format: string;
  /** All sizes, and where operands begin, are multiples of 4. */
  inFours: boolean;
  /** Parts of the sum, which are added up later. */
  pieces: number;
  /** The results of tn, or of the products of tn in the same dispatch as an nn. */
  products: readonly (readonly [p: number, q: number])[];
}

/** A class that a run was seen to need, and how often. */
export interface SeenProducts {
  shape: ProductClass;
  count: number;
}

export interface TimedClass {
  shape: ProductClass;
  /** What is used where nothing was timed. */
  usual: Family;
  chosen: Family;
  /** Milliseconds of one product; empty where time ran out before. */
  ms: Readonly<Partial<Record<Family, number>>>;
}

/** What is kept of a card. */
export interface KeptChoices {
  /** Of the app, whose kernels were timed. */
  version: string;
  /** When the first class was timed. */
  since: number;
  /** Whose clock it was. */
  clock: 'gpu' | 'page';
  /** The person wants the usual ones. */
  off?: true;
  classes: Readonly<Record<string, TimedClass>>;
}

/** What computes products on this card. */
export interface KeptKernels {
  asked: Kernels;
  /** Null before anything was timed. */
  choices: KeptChoices | null;
}

/** The next power of two: batches of all widths have a few classes. */
const widest = (rows: number) => 2 ** Math.ceil(Math.log2(Math.max(1, rows)));

export function classKey({ kind, rows, columns, steps, format, inFours, pieces, products }: ProductClass): string {
  const sizes = kind === 'tn' ? [widest(steps)] : [widest(rows), columns, steps];
  const more = [
    format,
    inFours ? '' : 'uneven',
    pieces > 1 ? `in ${pieces}` : '',
    products.map((s) => s.join('x')).join('+'),
  ];
  return [kind, sizes.join('x'), ...more].filter(Boolean).join(' ');
}

/** Multiplications of one product. */
export function workOf({ kind, rows, columns, steps, products }: ProductClass): number {
  const over = kind === 'tn' ? steps : rows;
  const beside = products.reduce((sum, [p, q]) => sum + over * p * q, 0);
  return kind === 'tn' ? beside : rows * columns * steps + beside;
}
