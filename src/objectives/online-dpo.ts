/** Online direct preference optimisation. The loss is in src/engine/objectives/online-dpo.ts. */
import { promptData } from '../data/preference-data';
import { options } from '../recipe/spec';
import { type RewardSection, rewardsField } from '../rewards';
import type { ObjectiveDescriptor } from './objective';
import {
  answersPerStep,
  LEARNS_FROM_REWARDS,
  REWARD_DEFAULTS,
  rewardModelRefusals,
  rewardRefusals,
} from './reinforcement/checks';
import * as fields from './reinforcement/fields';
import { LENGTHS, NO_SPREAD, NUM_TOKENS, REWARD } from './reinforcement/metrics';

const LOSSES = { sigmoid: 'DPO (sigmoid)', ipo: 'IPO' } as const;

export interface OnlineDpoObjective {
  type: 'online_dpo';
  rewards: RewardSection[];
  loss_type: keyof typeof LOSSES;
  beta: number;
  max_new_tokens: number;
  temperature: number;
  top_p: number;
  top_k: number;
  missing_eos_penalty: number;
}

export const onlineDpo: ObjectiveDescriptor<OnlineDpoObjective> = {
  type: 'online_dpo',
  label: 'Preferences of its own (online DPO)',
  order: 140,
  ...LEARNS_FROM_REWARDS,
  data: ({ max_new_tokens }) => promptData({ answerTokens: max_new_tokens }),
  // As in TRL, micro-batches count prompts here, each with two answers.
  pace: (_section, training) => ({ examples: answersPerStep(training), steps: 1 }),
  answerTokens: ({ max_new_tokens }) => max_new_tokens,
  fields: {
    rewards: rewardsField,
    loss_type: {
      kind: 'select',
      label: 'Loss',
      help: 'How the margin between the better and the other answer is rewarded.',
      default: 'sigmoid',
      options: options(LOSSES),
      source: 'TRL',
    },
    beta: { ...fields.BETA, default: 0.1, above: true, help: 'How closely the model stays to the reference.' },
    max_new_tokens: { ...fields.MAX_COMPLETION_LENGTH, default: 64, source: 'TRL' },
    temperature: {
      ...fields.TEMPERATURE,
      default: 0.9,
      help: 'How freely answers are drawn: lower ones are alike and teach little, higher ones fall apart.',
    },
    top_p: fields.TOP_P,
    top_k: fields.TOP_K,
    missing_eos_penalty: fields.MISSING_EOS_PENALTY,
  },
  defaults: {
    ...REWARD_DEFAULTS,
    'training.learning_rate': [
      { when: ({ trains }) => trains === 'adapter', default: 5e-6, usual: [1e-6, 5e-5], source: 'TRL’s 5e-7, × 10' },
      { default: 5e-7, usual: [1e-7, 5e-6], source: 'TRL' },
    ],
    'training.per_device_train_batch_size': [{ default: 2, usual: [1, 8], source: 'ours: two answers to each prompt' }],
  },
  *refusals(_section, context) {
    yield* rewardRefusals('online_dpo', context);
  },
  modelRefusals: (_section, model) => rewardModelRefusals(model),
  loss: 'How far the better answers are from being preferred: it starts at log 2 (0.69) or 1 / 4β² and falls slowly, since the answers are new at every step. Look at the reward.',
  metrics: [
    {
      name: 'objective/scores',
      label: 'Mean score',
      help: 'What the run is for: the mean reward of all answers, less what a missing end costs; it should rise.',
      open: true,
    },
    {
      name: 'objective/scores_margin',
      label: 'Margin of scores',
      help: 'By how much the better answer to a prompt scores higher: near 0, the answers are too alike to learn from.',
      open: true,
    },
    ...REWARD,
    {
      ...NO_SPREAD,
      help: 'Share of the prompts whose two answers scored alike: there the first is taken for the better one, which teaches noise.',
    },
    {
      name: 'rewards/accuracies',
      label: 'Pairs in order',
      help: 'Share of the pairs whose better answer has become likelier than the other, measured by the reference: it should pass one half.',
    },
    {
      name: 'rewards/margins',
      label: 'Margin',
      help: 'By how much more likely the better answers have become than the others, times beta: it should grow from 0.',
      open: true,
    },
    {
      name: 'rewards/chosen',
      label: 'Reward of better answers',
      help: 'How much likelier they have become than the reference finds them, times beta.',
      open: true,
    },
    {
      name: 'rewards/rejected',
      label: 'Reward of other answers',
      help: 'How much likelier the others have become, times beta: it should fall.',
      open: true,
    },
    {
      name: 'logps/chosen',
      label: 'Log-probability of better answers',
      help: 'Of whole answers, so longer ones have less.',
      open: true,
    },
    {
      name: 'logps/rejected',
      label: 'Log-probability of other answers',
      help: 'Of whole answers, so longer ones have less.',
      open: true,
    },
    {
      name: 'objective/kl',
      label: 'Distance from the reference',
      help: 'Summed over an answer, in nats: it grows as the model learns, and a sudden climb means that it is falling apart.',
      open: true,
    },
    {
      name: 'objective/non_score_reward',
      label: 'Penalty',
      help: 'Beta times that distance, below 0: what the answers would cost under a penalty.',
      open: true,
    },
    {
      name: 'objective/entropy',
      label: 'Surprise of an answer',
      help: 'Its negative log-probability, in nats: a fall towards 0 means that all answers become the same.',
      open: true,
    },
    {
      name: 'val/contain_eos_token',
      label: 'Ended answers',
      help: 'Share of the answers that ended by themselves.',
    },
    ...LENGTHS,
    NUM_TOKENS,
  ],
};
