/** Curves over steps, ready to draw: one x axis for all, null where a curve has no value. */
import type { MetricsRow } from '../../../storage/types';
import { smooth } from './smooth';

/** How a curve looks. The dash tells curves apart where the colour does not. */
export interface Look {
  /** A colour token of styles.css, e.g. `--series-1`. */
  color: string;
  dash?: number[];
}

export interface Series extends Look {
  name: string;
  values: (number | null)[];
  width?: number;
  /** Marks each value with a dot, for sparse values. */
  points?: boolean;
  /** Drawn faintly, behind another curve. */
  faint?: boolean;
  /** Left out of the readout. */
  quiet?: boolean;
}

/** A step that stands out: a line across the chart, and a ring around its value if it has one. */
export interface Mark extends Pick<Look, 'color'> {
  step: number;
  value: number | null;
  label: string;
}

export interface Plot {
  /** Ascending. */
  x: number[];
  series: Series[];
  marks?: Mark[];
}

/** Every step at which one of the runs has a value, in order. */
export function stepsOf(...runs: MetricsRow[][]): number[] {
  const all: number[] = [];
  let ascending = true;
  for (const rows of runs) {
    for (const { step } of rows) {
      if (step === all.at(-1)) continue;
      if (all.length > 0 && step < all.at(-1)!) ascending = false;
      all.push(step);
    }
  }
  return ascending ? all : [...new Set(all)].sort((a, b) => a - b);
}

/** The place of the last step that is not after `step`; -1 before the first. */
export function placeOf(x: readonly number[], step: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** One metric of a run along `x`. */
export function valuesOf(x: number[], rows: MetricsRow[], pick: (row: MetricsRow) => number | null): (number | null)[] {
  const values = new Array<number | null>(x.length).fill(null);
  let at = 0;
  for (const row of rows) {
    const value = pick(row);
    if (value === null || !Number.isFinite(value)) continue;
    // Rows come in order of their steps, so the place is nearly always here or the next one.
    if (x[at] !== row.step) at = x[at + 1] === row.step ? at + 1 : Math.max(0, placeOf(x, row.step));
    if (x[at] === row.step) values[at] = value;
  }
  return values;
}

export const lossOf = (row: MetricsRow) => (row.kind === 'step' ? row.loss : null);
export const evalLossOf = (row: MetricsRow) => (row.kind === 'eval' ? row.eval_loss : null);
export const rateOf = (row: MetricsRow) => (row.kind === 'step' ? row.learning_rate : null);
export const gradNormOf = (row: MetricsRow) => (row.kind === 'step' ? row.grad_norm : null);
export const memoryOf = (row: MetricsRow) => (row.kind === 'step' ? row.gpu_bytes : null);

/** Steps over which the speed is taken. */
const SPEED_STEPS = 5;

/** Tokens a second at each step of `x`, as a mean over the last few steps; evaluations do not count as training. */
export function speedsOf(x: number[], rows: MetricsRow[]): (number | null)[] {
  const values = new Array<number | null>(x.length).fill(null);
  const recent: { tokens: number; seconds: number }[] = [];
  let before = { tokens: 0, seconds: 0 };
  let at = 0;
  for (const row of rows) {
    if (row.kind === 'eval') {
      before = { ...before, seconds: Math.max(before.seconds, row.seconds) };
      continue;
    }
    recent.push({ tokens: row.tokens - before.tokens, seconds: row.seconds - before.seconds });
    before = row;
    if (recent.length > SPEED_STEPS) recent.shift();
    const tokens = recent.reduce((sum, step) => sum + step.tokens, 0);
    const seconds = recent.reduce((sum, step) => sum + step.seconds, 0);
    while (at < x.length && x[at]! < row.step) at++;
    if (x[at] === row.step && seconds > 0 && tokens >= 0) values[at] = tokens / seconds;
  }
  return values;
}

/** A run laid over others: its training loss, and its validation loss in dots of the same colour, if it has any. */
export function overlaySeries(
  x: number[],
  run: { name: string; validationName: string; rows: MetricsRow[]; look: Look; smoothing: number },
): Series[] {
  const { name, validationName, rows, look, smoothing } = run;
  const training = { name, ...look, values: smooth(valuesOf(x, rows, lossOf), smoothing) };
  const validation = valuesOf(x, rows, evalLossOf);
  if (validation.every((value) => value === null)) return [training];
  return [training, { name: validationName, ...look, values: validation, width: 1, points: true }];
}
