/** The rewards, found by their type. */
import type { RewardsField } from '../recipe/spec';
import { all } from './all';
import type { RewardDescriptor } from './reward';

export type { RewardDescriptor, Score, ScoredAnswer, TriedAnswer } from './reward';

type SectionOf<D> = D extends RewardDescriptor<infer S> ? S : never;
/** One reward of a recipe, complete. */
export type RewardSection = SectionOf<(typeof all)[number]>;
export type RewardType = RewardSection['type'];
/** As it may be written: what is left out is the default. */
export type RewardInput = RewardSection extends infer S
  ? S extends { type: infer T }
    ? { type: T } & Partial<Omit<S, 'type'>>
    : never
  : never;

type AnyReward = Omit<RewardDescriptor<RewardSection>, 'fields'> & { fields: Readonly<Record<string, unknown>> };

/** Each as one that takes any section: callers find it by the section's own type. */
export const rewards = all as unknown as readonly (AnyReward & Pick<RewardDescriptor<RewardSection>, 'type'>)[];

export const isRewardType = (type: unknown): type is RewardType => all.some((one) => one.type === type);

export function rewardOf({ type }: { type: RewardType }): (typeof rewards)[number] {
  return rewards.find((one) => one.type === type)!;
}

/** The field of every objective that learns from rewards. */
export const rewardsField: RewardsField = {
  kind: 'rewards',
  label: 'Rewards',
  help: 'What is good about an answer. Each gives a number; the answer’s reward is their sum by weight.',
  default: [],
  source: 'yours: only you know what is good',
};

/** Rewards as they are written → complete ones, each with a name of its own. */
export function completeRewards(given: readonly RewardInput[]): RewardSection[] {
  const taken = new Set(given.flatMap(({ name }) => (name ? [name] : [])));
  return given.map((written) => {
    const { fields } = rewardOf(written) as { fields: Record<string, { default: unknown }> };
    const own = Object.fromEntries(
      Object.entries(fields).map(([key, spec]) => [
        key,
        structuredClone((written as Record<string, unknown>)[key] ?? spec.default),
      ]),
    );
    const name = written.name || freeName(written.type, taken);
    taken.add(name);
    return { type: written.type, weight: written.weight ?? 1, name, ...own } as unknown as RewardSection;
  });
}

function freeName(type: string, taken: ReadonlySet<string>): string {
  if (!taken.has(type)) return type;
  for (let count = 2; ; count++) if (!taken.has(`${type}_${count}`)) return `${type}_${count}`;
}

/** The rewards of an objective's section; none if it has none. */
export const rewardsOf = (objective: object): readonly RewardSection[] =>
  'rewards' in objective && Array.isArray(objective.rewards) ? (objective.rewards as RewardSection[]) : [];
