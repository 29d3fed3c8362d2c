/** Rewards as Python functions, for trainers that take them by name. */
import type { ObjectiveSection } from '../../../objectives';
import code from '../python/rewards.py?raw';
import { pythonLiteral } from '../trl/literals';
import type { Json } from '../trl/part';

type RewardSection = Extract<ObjectiveSection, { rewards: unknown }>['rewards'][number];

const MODULE = 'rewards';

export const REWARDS_FILE = `${MODULE}.py`;

/** In the module, where its name is another. */
const BUILDERS: Partial<Record<RewardSection['type'], string>> = { regex: 'regular_expression' };

const identifier = (name: string, taken: ReadonlySet<string>): string => {
  const plain = name.replace(/\W+/g, '_').replace(/^(?=\d)/, '_') || 'reward';
  let free = `reward_${plain}`;
  for (let n = 2; taken.has(free); n++) free = `reward_${plain}_${n}`;
  return free;
};

export interface PythonRewards {
  code: string;
  /** `rewards.reward_exact_answer`; metrics have the name in the recipe. */
  functions: string[];
  weights: number[];
  /** A package that is not among the trainer's own. */
  packages: string[];
}

/** None of them may be one of the person's own, or a reward model. */
export function pythonRewards(rewards: readonly RewardSection[]): PythonRewards {
  const names: string[] = [];
  const lines = rewards.map(({ type, weight: _, name, ...fields }) => {
    const given = identifier(name, new Set(names));
    names.push(given);
    const values = Object.entries(fields).map(([key, value]) => `${key}=${pythonLiteral(value as Json)}`);
    return `${given} = function(${JSON.stringify(name)}, ${BUILDERS[type] ?? type}(${values.join(', ')}))`;
  });
  return {
    code: `${code.trimEnd()}\n\n\n${lines.join('\n')}\n`,
    functions: names.map((name) => `${MODULE}.${name}`),
    weights: rewards.map(({ weight }) => weight),
    packages: rewards.some((one) => one.type === 'json_valid' && one.schema.trim() !== '') ? ['jsonschema'] : [],
  };
}
