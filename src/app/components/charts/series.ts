/** Curves over steps, ready to draw: one x axis for all, null where a curve has no value. */
import type { MetricsRow } from '../../../storage/types';

export interface Series {
  name: string;
  /** A colour token of styles.css, e.g. `--series-1`. */
  color: string;
  values: (number | null)[];
  width?: number;
  dash?: number[];
  /** Marks each value with a dot, for sparse values. */
  points?: boolean;
  /** Drawn faintly, behind another curve. */
  faint?: boolean;
  /** Left out of the readout. */
  quiet?: boolean;
}

export interface Plot {
  x: number[];
  series: Series[];
}

/** Every step at which one of the runs has a value, in order. */
export function stepsOf(...runs: MetricsRow[][]): number[] {
  const steps = new Set<number>();
  for (const rows of runs) for (const row of rows) steps.add(row.step);
  return [...steps].sort((a, b) => a - b);
}

/** One metric of a run along `x`. */
export function valuesOf(x: number[], rows: MetricsRow[], pick: (row: MetricsRow) => number | null): (number | null)[] {
  const at = new Map<number, number>();
  for (const row of rows) {
    const value = pick(row);
    if (value !== null && Number.isFinite(value)) at.set(row.step, value);
  }
  return x.map((step) => at.get(step) ?? null);
}

export const lossOf = (row: MetricsRow) => (row.kind === 'step' ? row.loss : null);
export const evalLossOf = (row: MetricsRow) => (row.kind === 'eval' ? row.eval_loss : null);
export const rateOf = (row: MetricsRow) => (row.kind === 'step' ? row.learning_rate : null);
export const gradNormOf = (row: MetricsRow) => (row.kind === 'step' ? row.grad_norm : null);
