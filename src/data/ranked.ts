/** Several answers to one prompt, each with a judgement of its own: a score, a rank, or a mark on the accepted one. */
import { isRecord, numberIn } from './raw-table';
import { verdictOf } from './verdicts';

type Row = Record<string, unknown>;

export const SELECTED = [
  'is_selected',
  'selected',
  'is_accepted',
  'accepted',
  'is_best',
  'best',
  'chosen',
  'is_correct',
  'correct',
];
export const SCORES = [
  'score',
  'overall_score',
  'pm_score',
  'votes',
  'vote',
  'rating',
  'upvotes',
  'likes',
  'reward',
  'rank',
];

/** Points of each answer, the more the better; null if nothing judges them. A mark is worth a point. */
function pointsOf(list: readonly unknown[]): number[] | null {
  const records = list.filter(isRecord);
  if (records.length < 2 || records.length < list.length) return null;
  const flag = SELECTED.find((key) => records.some((record) => verdictOf(record[key]) === 'better'));
  if (flag) return records.map((record) => (verdictOf(record[flag]) === 'better' ? 1 : 0));
  const score = SCORES.find((key) => records.every((record) => Number.isFinite(numberIn(record, key))));
  return score ? records.map((record) => numberIn(record, score) * (score === 'rank' ? -1 : 1)) : null;
}

/** Of several answers with a judgement each, the best; undefined if nothing judges them. */
export function bestOf(list: readonly unknown[]): Row | undefined {
  const points = pointsOf(list);
  return points ? (list[points.indexOf(Math.max(...points))] as Row) : undefined;
}

/** Where the best and the worst of several answers stand; null if nothing judges them, 'tie' if all are judged alike. */
export function bestAndWorst(list: readonly unknown[], scores?: readonly unknown[]): [number, number] | 'tie' | null {
  const points = scores ? (scores.length === list.length ? scores.map(Number) : null) : pointsOf(list);
  if (points === null || points.length < 2 || !points.every(Number.isFinite)) return null;
  const [most, least] = [Math.max(...points), Math.min(...points)];
  return most === least ? 'tie' : [points.indexOf(most), points.indexOf(least)];
}
