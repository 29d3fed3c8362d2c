/** Losses of scores, and rows taken by number, as functions of tensors for tests on either backend. */

import { type ScoreLossKind, scoreLoss } from '../../src/engine/kernels/losses/score-loss';
import { takeRows } from '../../src/engine/kernels/moves/row-moves';
import { intValues, type Op, randomValues, type Values } from '../kernel-helpers';

export interface ScoreCase {
  kind: ScoreLossKind;
  rows: number;
  classes: number;
  smoothing?: number;
  /** Every n-th row has no class. */
  skipEvery?: number;
  /** Scale of the scores. */
  size?: number;
}

export const SCORE_CASES: ScoreCase[] = [
  { kind: 'cross_entropy', rows: 1, classes: 2 },
  { kind: 'cross_entropy', rows: 7, classes: 5, skipEvery: 3 },
  { kind: 'cross_entropy', rows: 70, classes: 9, skipEvery: 4, smoothing: 0.1 },
  { kind: 'cross_entropy', rows: 5, classes: 3, size: 60 },
  { kind: 'binary', rows: 6, classes: 5 },
  { kind: 'binary', rows: 3, classes: 4, size: 60 },
  { kind: 'squared', rows: 5, classes: 1 },
  { kind: 'squared', rows: 3, classes: 2 },
];

/** The inputs are scores and targets. */
export function scoreCase({ kind, rows, classes, smoothing, skipEvery, size = 1 }: ScoreCase): {
  op: Op;
  inputs: Values[];
} {
  const numbers = randomValues([rows, classes], 2);
  const targets =
    kind === 'cross_entropy'
      ? intValues(
          Array.from({ length: rows }, (_, r) => (skipEvery && r % skipEvery === 0 ? -100 : (7 * r + 1) % classes)),
          [rows],
        )
      : kind === 'binary'
        ? { ...numbers, data: Float32Array.from(numbers.data, (x) => (x > 0 ? 1 : 0)) }
        : numbers;
  return {
    op: (scores, wanted) => [scoreLoss(kind, scores!, wanted!, { scale: 1 / 7, smoothing })],
    inputs: [randomValues([rows, classes], 1, size), targets],
  };
}

export const takeCase = (tokens: number, width: number, rows: number[]): { op: Op; inputs: Values[] } => ({
  op: (x, at) => [takeRows(x!, at!)],
  inputs: [randomValues([tokens, width], 1), intValues(rows, [rows.length])],
});
