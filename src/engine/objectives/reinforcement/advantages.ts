/**
 * From rewards to advantages, as TRL 1.16.0 computes them. NaN stands for an answer that no reward says anything about: it is
 * left out of every mean, and its advantage is 0.
 */
import type { Scores } from '../objective';

/** TRL's; keeps a group whose rewards hardly differ from being divided by almost nothing. */
const EPSILON = 1e-4;
/** torch.isclose to zero. */
const CLOSE = 1e-8;

const known = (values: readonly number[]) => values.filter((x) => !Number.isNaN(x));

/** NaN for none. */
export function mean(values: readonly number[]): number {
  const list = known(values);
  return list.length === 0 ? Number.NaN : list.reduce((sum, x) => sum + x, 0) / list.length;
}

/** With Bessel's correction, as torch has it; NaN for fewer than two. */
export function deviation(values: readonly number[]): number {
  const list = known(values);
  if (list.length < 2) return Number.NaN;
  const middle = mean(list);
  return Math.sqrt(list.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (list.length - 1));
}

/** Each answer's weighted sum of the rewards that say something about it. */
export function totalRewards({ values, weights }: Pick<Scores, 'values' | 'weights'>): number[] {
  return values.map((row) => {
    const said = row.map((value) => value !== null && !Number.isNaN(value));
    if (!said.includes(true)) return Number.NaN;
    return row.reduce<number>((sum, value, k) => sum + (said[k] ? weights[k]! * value! : 0), 0);
  });
}

const groupsOf = (values: readonly number[], size: number): number[][] =>
  Array.from({ length: values.length / size }, (_, g) => values.slice(g * size, (g + 1) * size));

export type RewardScaling = 'group' | 'batch' | 'none';

export interface Advantages {
  /** One for each answer. */
  values: number[];
  /** Share of the groups (or of the batch, if that is what is scaled by) without any spread. */
  withoutSpread: number;
}

/** GRPO's: the distance from the group's mean, in units of the group's or the batch's spread. */
export function groupAdvantages(rewards: readonly number[], size: number, scaling: RewardScaling): Advantages {
  const groups = groupsOf(rewards, size);
  const whole = deviation(rewards);
  const spreads = groups.map((group) => (scaling === 'batch' ? whole : deviation(group)));
  const values = groups.flatMap((group, g) => {
    const middle = mean(group);
    return group.map((reward) => {
      const away = reward - middle;
      return orZero(scaling === 'none' ? away : away / (spreads[g]! + EPSILON));
    });
  });
  return { values, withoutSpread: shareWithoutSpread(spreads) };
}

/** RLOO's: the distance from the mean of the group's other answers. `normalise`: over the batch. */
export function leaveOneOutAdvantages(rewards: readonly number[], size: number, normalise: boolean): Advantages {
  const groups = groupsOf(rewards, size);
  const values = groups.flatMap((group) => {
    const list = known(group);
    const sum = list.reduce((total, x) => total + x, 0);
    return group.map((reward) => reward - (sum - reward) / (list.length - 1));
  });
  const finite = values.map((x) => (Number.isFinite(x) ? x : Number.NaN));
  const [middle, spread] = [mean(finite), deviation(finite)];
  return {
    values: finite.map((x) => orZero(normalise ? (x - middle) / (spread + EPSILON) : x)),
    withoutSpread: shareWithoutSpread(groups.map(deviation)),
  };
}

const orZero = (x: number) => (Number.isFinite(x) ? x : 0);

const shareWithoutSpread = (spreads: readonly number[]) =>
  spreads.filter((spread) => Math.abs(spread) <= CLOSE).length / Math.max(1, spreads.length);

/** Whether no group has two answers that scored differently, whatever the advantages are scaled by. */
export const nothingToLearn = (rewards: readonly number[], size: number): boolean =>
  groupsOf(rewards, size).every((group) => !(Math.abs(deviation(group)) > CLOSE));
