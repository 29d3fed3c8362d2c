/** Rejection sampling: supervised learning of the best of several answers. The loss is in src/engine/objectives/rejection-sampling.ts. */
import { promptData } from '../data/preference-data';
import { options } from '../recipe/spec';
import { type RewardSection, rewardsField } from '../rewards';
import type { ObjectiveDescriptor } from './objective';
import {
  groupedPace,
  LEARNS_FROM_REWARDS,
  REWARD_DEFAULTS,
  rewardModelRefusals,
  rewardRefusals,
  wholeGroups,
} from './reinforcement/checks';
import * as fields from './reinforcement/fields';
import { LENGTHS, NUM_TOKENS, REWARD } from './reinforcement/metrics';

const KEPT = {
  best: 'The best answer to each prompt',
  threshold: 'Every answer with at least this reward',
} as const;

export interface RejectionSamplingObjective {
  type: 'rejection_sampling';
  rewards: RewardSection[];
  num_generations: number;
  keep: keyof typeof KEPT;
  threshold: number;
  max_completion_length: number;
  temperature: number;
  top_p: number;
  top_k: number;
  mask_truncated_completions: boolean;
}

export const rejectionSampling: ObjectiveDescriptor<RejectionSamplingObjective> = {
  type: 'rejection_sampling',
  label: 'Best of several answers (rejection sampling)',
  order: 100,
  ...LEARNS_FROM_REWARDS,
  data: ({ max_completion_length }) => promptData({ answerTokens: max_completion_length }),
  pace: (section, training) => groupedPace({ ...section, num_iterations: 1 }, training),
  answerTokens: ({ max_completion_length }) => max_completion_length,
  fields: {
    rewards: rewardsField,
    num_generations: fields.NUM_GENERATIONS,
    keep: {
      kind: 'select',
      label: 'Learn from',
      help: 'The best answer is learned only if it scored better than the mean of its prompt’s.',
      default: 'best',
      options: options(KEPT),
      source: 'RAFT (best), ReST (threshold)',
    },
    threshold: {
      kind: 'number',
      label: 'Least reward',
      help: 'For “every answer with at least this reward” only.',
      default: 1,
      min: -1_000_000,
      max: 1_000_000,
      step: 0.1,
      source: 'ours: full marks of a reward from 0 to 1',
    },
    max_completion_length: fields.MAX_COMPLETION_LENGTH,
    temperature: fields.TEMPERATURE,
    top_p: fields.TOP_P,
    top_k: fields.TOP_K,
    mask_truncated_completions: fields.MASK_TRUNCATED,
  },
  defaults: {
    ...REWARD_DEFAULTS,
    'training.learning_rate': [
      { when: ({ trains }) => trains === 'adapter', default: 1e-4, usual: [5e-5, 3e-4], source: 'as supervised' },
      { default: 1e-5, usual: [5e-6, 5e-5], source: 'as supervised' },
    ],
  },
  *refusals(section, context) {
    yield* rewardRefusals('rejection_sampling', context);
    yield* wholeGroups(section, context);
  },
  modelRefusals: (_section, model) => rewardModelRefusals(model),
  loss: 'Mean cross-entropy per token of the answers that were kept: it falls as the model becomes surer of its own best answers, and says less than the reward does.',
  metrics: [
    ...REWARD,
    {
      name: 'reward_kept',
      label: 'Mean reward of what is learned',
      help: 'Of the answers that were kept: the distance above the mean reward is what there is left to gain.',
      open: true,
    },
    {
      name: 'frac_kept',
      label: 'Prompts learned from',
      help: 'Share of the prompts with an answer that was kept: near 0, the prompts are too easy or too hard, or the reward is too coarse.',
    },
    ...LENGTHS,
    NUM_TOKENS,
  ],
};
