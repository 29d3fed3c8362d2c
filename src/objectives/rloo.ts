/** REINFORCE with a leave-one-out baseline. The loss is in src/engine/objectives/rloo.ts. */
import { promptData } from '../data/preference-data';
import { type RewardSection, rewardsField } from '../rewards';
import type { ObjectiveDescriptor } from './objective';
import {
  groupedPace,
  LEARNS_FROM_REWARDS,
  LOSS_OF_ADVANTAGES,
  REWARD_DEFAULTS,
  rewardModelRefusals,
  rewardRefusals,
  wholeGroups,
} from './reinforcement/checks';
import * as fields from './reinforcement/fields';
import {
  CLIP_RATIOS,
  ENTROPY,
  KL,
  LENGTHS,
  NO_SPREAD,
  NUM_TOKENS,
  REWARD,
  SURROGATE_LOSS,
} from './reinforcement/metrics';

export interface RlooObjective {
  type: 'rloo';
  rewards: RewardSection[];
  num_generations: number;
  max_completion_length: number;
  temperature: number;
  top_p: number;
  top_k: number;
  beta: number;
  normalize_advantages: boolean;
  num_iterations: number;
  epsilon: number;
  epsilon_high: number;
  mask_truncated_completions: boolean;
}

export const rloo: ObjectiveDescriptor<RlooObjective> = {
  type: 'rloo',
  label: 'Leave-one-out policy gradient (RLOO)',
  order: 120,
  ...LEARNS_FROM_REWARDS,
  lossSaysLittle: LOSS_OF_ADVANTAGES,
  data: ({ max_completion_length }) => promptData({ answerTokens: max_completion_length }),
  pace: groupedPace,
  answerTokens: ({ max_completion_length }) => max_completion_length,
  fields: {
    rewards: rewardsField,
    num_generations: { ...fields.NUM_GENERATIONS, default: 2, source: 'TRL' },
    max_completion_length: fields.MAX_COMPLETION_LENGTH,
    temperature: fields.TEMPERATURE,
    top_p: fields.TOP_P,
    top_k: fields.TOP_K,
    beta: { ...fields.BETA, default: 0.05 },
    normalize_advantages: {
      kind: 'bool',
      label: 'Scale advantages',
      help: 'Measure the distance of each answer from the others in units of the step’s spread.',
      default: false,
      source: 'TRL',
    },
    num_iterations: fields.NUM_ITERATIONS,
    epsilon: fields.EPSILON,
    epsilon_high: fields.EPSILON_HIGH,
    mask_truncated_completions: fields.MASK_TRUNCATED,
  },
  defaults: REWARD_DEFAULTS,
  *refusals(section, context) {
    yield* rewardRefusals('rloo', context);
    yield* wholeGroups(section, context);
  },
  modelRefusals: (_section, model) => rewardModelRefusals(model),
  loss: SURROGATE_LOSS,
  metrics: [...REWARD, NO_SPREAD, ...LENGTHS, KL, ENTROPY, ...CLIP_RATIOS, NUM_TOKENS],
};
