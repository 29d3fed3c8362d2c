/** Checks the rewards of a recipe, each problem at its own path: `objective.rewards.0.pattern`. */
import { isRewardType, type RewardSection, rewardOf, rewards } from '../rewards';
import type { FieldSpec, NumberField } from './spec';
import { list, suggest } from './suggest';

/** What is wrong, as schema.ts makes problems of it. */
type Problem<P> = (where: string, message: string, action?: string) => P;
type CheckValue<P> = (where: string, spec: FieldSpec, value: unknown) => P[];

const WEIGHT: NumberField = {
  kind: 'number',
  label: 'Weight',
  help: 'What a point of it is worth in the sum; below 0, it is a penalty.',
  default: 1,
  min: -1000,
  max: 1000,
  step: 0.1,
  source: 'TRL reward_weights',
};

/** In the names of metrics. */
const NAME = /^[\w.-]{1,40}$/;
const MOST_REWARDS = 32;

const common: Record<string, FieldSpec> = { weight: WEIGHT };

/** The fields of a reward that are its own, with its weight. */
export const rewardFields = (type: RewardSection['type']): Record<string, FieldSpec> => ({
  ...common,
  ...(rewardOf({ type }).fields as Record<string, FieldSpec>),
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Problems with the types and ranges of a list of rewards; empty if it is one. */
export function rewardSchemaProblems<P>(
  where: string,
  value: unknown,
  problem: Problem<P>,
  checkValue: CheckValue<P>,
): P[] {
  if (!Array.isArray(value)) return [problem(where, 'must be a list of rewards.', 'Write [{"type": "exact_answer"}].')];
  if (value.length > MOST_REWARDS) return [problem(where, `has ${value.length} rewards; at most ${MOST_REWARDS}.`)];
  const named = new Set<string>();
  return value.flatMap((one: unknown, i) => {
    const at = `${where}.${i}`;
    if (!isObject(one)) return [problem(at, 'must be an object with a type.')];
    const { type, name } = one;
    if (!isRewardType(type)) {
      const types = rewards.map((each) => each.type);
      const near = typeof type === 'string' ? suggest(type, types) : undefined;
      const said =
        typeof type === 'string' ? `must be ${list(types)}, not ${JSON.stringify(type.slice(0, 60))}.` : 'is missing.';
      return [problem(`${at}.type`, said, near && `Did you mean ${near}?`)];
    }
    const wrong: P[] = [];
    const specs = rewardFields(type);
    for (const [key, child] of Object.entries(one)) {
      if (key === 'type' || key === 'name' || child === undefined) continue;
      const spec = Object.hasOwn(specs, key) ? specs[key] : undefined;
      if (spec) wrong.push(...checkValue(`${at}.${key}`, spec, child));
      else {
        const near = suggest(key, ['type', 'name', ...Object.keys(specs)]);
        const fields = `The fields of ${type} are ${list(['name', ...Object.keys(specs)])}.`;
        wrong.push(
          problem(`${at}.${key.slice(0, 80)}`, 'is not a known field.', near ? `Did you mean ${near}?` : fields),
        );
      }
    }
    if (name !== undefined && (typeof name !== 'string' || !NAME.test(name))) {
      wrong.push(problem(`${at}.name`, 'must be at most 40 letters, digits, dots, lines or underscores.'));
    } else if (name !== undefined && named.has(name)) {
      wrong.push(problem(`${at}.name`, `is ${name}, as another reward’s.`, 'Give each reward a name of its own.'));
    } else if (name !== undefined) named.add(name);
    return wrong;
  });
}

/** Why complete rewards cannot be computed. */
export function impossibleRewards<P>(where: string, sections: readonly RewardSection[], problem: Problem<P>): P[] {
  if (sections.length === 0) {
    const action = 'Add a reward: exact_answer, say, or a function of your own (javascript).';
    return [problem(where, 'is empty, so no answer would be better than another.', action)];
  }
  if (sections.every(({ weight }) => weight === 0)) {
    return [
      problem(where, 'all have weight 0, so no answer would be better than another.', 'Give one of them a weight.'),
    ];
  }
  return sections.flatMap((section, i) =>
    Array.from(rewardOf(section).problems?.(section) ?? [], ({ key, message, action }) =>
      problem(`${where}.${i}.${key}`, message, action),
    ),
  );
}
