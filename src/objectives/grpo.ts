/** Group relative policy optimisation. The loss is in src/engine/objectives/grpo.ts. */
import { promptData } from '../data/preference-data';
import { options } from '../recipe/spec';
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

const LOSSES = {
  dapo: 'Per token of the step (dapo)',
  grpo: 'Per answer (grpo)',
  bnpo: 'Per token of the batch (bnpo)',
  dr_grpo: 'Per token allowed (dr_grpo)',
  cispo: 'Clipped weights (cispo)',
  sapo: 'Soft gate (sapo)',
  luspo: 'Sum of each answer (luspo)',
} as const;

const SCALES = {
  group: 'By the spread of each prompt’s answers',
  batch: 'By the spread of the step',
  none: 'Not at all',
} as const;

const LEVELS = { token: 'Each token', sequence: 'Each answer (GSPO)' } as const;

export interface GrpoObjective {
  type: 'grpo';
  rewards: RewardSection[];
  num_generations: number;
  max_completion_length: number;
  temperature: number;
  top_p: number;
  top_k: number;
  beta: number;
  use_bias_correction_kl: boolean;
  loss_type: keyof typeof LOSSES;
  scale_rewards: keyof typeof SCALES;
  importance_sampling_level: keyof typeof LEVELS;
  num_iterations: number;
  epsilon: number;
  epsilon_high: number;
  delta: number;
  mask_truncated_completions: boolean;
}

export const grpo: ObjectiveDescriptor<GrpoObjective> = {
  type: 'grpo',
  label: 'Group relative policy optimisation (GRPO)',
  order: 110,
  ...LEARNS_FROM_REWARDS,
  trainers: ['axolotl'],
  lossSaysLittle: LOSS_OF_ADVANTAGES,
  data: ({ max_completion_length }) => promptData({ answerTokens: max_completion_length }),
  pace: groupedPace,
  answerTokens: ({ max_completion_length }) => max_completion_length,
  fields: {
    rewards: rewardsField,
    num_generations: fields.NUM_GENERATIONS,
    max_completion_length: fields.MAX_COMPLETION_LENGTH,
    temperature: fields.TEMPERATURE,
    top_p: fields.TOP_P,
    top_k: fields.TOP_K,
    beta: fields.BETA,
    use_bias_correction_kl: {
      kind: 'bool',
      label: 'Corrected penalty',
      help: 'Weigh the penalty of each token with how much likelier it has become since it was written.',
      default: true,
      source: 'TRL',
    },
    loss_type: {
      kind: 'select',
      label: 'Loss',
      help: 'How the tokens of long and short answers are weighed against each other.',
      default: 'dapo',
      options: options(LOSSES),
      source: 'TRL',
    },
    scale_rewards: {
      kind: 'select',
      label: 'Scale rewards',
      help: 'What the distance of an answer’s reward from the mean is measured in.',
      default: 'group',
      options: options(SCALES),
      source: 'TRL',
    },
    importance_sampling_level: {
      kind: 'select',
      label: 'Compare probabilities of',
      help: 'What must not move too far in a step.',
      default: 'token',
      options: options(LEVELS),
      source: 'TRL',
    },
    num_iterations: fields.NUM_ITERATIONS,
    epsilon: fields.EPSILON,
    epsilon_high: {
      ...fields.EPSILON_HIGH,
      variants: [{ when: { 'objective.loss_type': ['cispo'] }, default: 5, usual: [1, 10], source: 'ScaleRL' }],
    },
    delta: {
      kind: 'number',
      label: 'Delta',
      help: 'A cap on how much an answer that became likelier counts against it; above 1 + epsilon, and 0 is none.',
      default: 0,
      min: 0,
      max: 100,
      step: 0.1,
      usual: [0, 4],
      source: 'TRL (off)',
    },
    mask_truncated_completions: fields.MASK_TRUNCATED,
  },
  defaults: REWARD_DEFAULTS,
  *refusals(section, context) {
    yield* rewardRefusals('grpo', context);
    yield* wholeGroups(section, context);
  },
  modelRefusals: (_section, model) => rewardModelRefusals(model),
  loss: SURROGATE_LOSS,
  metrics: [
    ...REWARD,
    NO_SPREAD,
    ...LENGTHS,
    KL,
    ENTROPY,
    ...CLIP_RATIOS,
    {
      name: 'cispo_clip_ratio',
      label: 'Weights at their limit',
      help: 'Share of the tokens whose weight was cut to its limit: high values mean that the answers are too old.',
    },
    NUM_TOKENS,
  ],
};
