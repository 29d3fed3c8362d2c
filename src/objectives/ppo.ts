/** Proximal policy optimisation. The loss is in src/engine/objectives/ppo.ts. */
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
import { LENGTHS, NUM_TOKENS, REWARD } from './reinforcement/metrics';

const ESTIMATORS = { k1: 'Difference of log-probabilities (k1)', k3: 'Never negative (k3)' } as const;

export interface PpoObjective {
  type: 'ppo';
  rewards: RewardSection[];
  response_length: number;
  temperature: number;
  num_ppo_epochs: number;
  num_mini_batches: number;
  kl_coef: number;
  kl_estimator: keyof typeof ESTIMATORS;
  cliprange: number;
  vf_coef: number;
  cliprange_value: number;
  gamma: number;
  lam: number;
  whiten_rewards: boolean;
  missing_eos_penalty: number;
}

export const ppo: ObjectiveDescriptor<PpoObjective> = {
  type: 'ppo',
  label: 'Proximal policy optimisation (PPO)',
  order: 130,
  ...LEARNS_FROM_REWARDS,
  data: ({ response_length }) => promptData({ answerTokens: response_length }),
  pace: ({ num_ppo_epochs, num_mini_batches }, training) => ({
    examples: answersPerStep(training),
    steps: num_ppo_epochs * num_mini_batches,
    heldRate: true,
  }),
  answerTokens: ({ response_length }) => response_length,
  fields: {
    rewards: rewardsField,
    response_length: { ...fields.MAX_COMPLETION_LENGTH, default: 53, source: 'TRL' },
    temperature: { ...fields.TEMPERATURE, default: 0.7 },
    num_ppo_epochs: {
      kind: 'int',
      label: 'Passes over the same answers',
      help: 'How often the answers of a turn are learned from, each time in another order.',
      default: 4,
      min: 1,
      max: 16,
      step: 1,
      usual: [1, 4],
      source: 'TRL',
    },
    num_mini_batches: {
      kind: 'int',
      label: 'Steps of a pass',
      help: 'Into how many steps the answers of a turn are divided.',
      default: 1,
      min: 1,
      max: 64,
      step: 1,
      usual: [1, 4],
      source: 'TRL',
    },
    kl_coef: {
      kind: 'number',
      label: 'KL penalty',
      help: 'What each nat of distance from the reference costs: too low and answers become nonsense that scores well.',
      default: 0.05,
      min: 0,
      max: 100,
      step: 0.01,
      usual: [0.01, 0.2],
      source: 'TRL',
    },
    kl_estimator: {
      kind: 'select',
      label: 'KL estimator',
      help: 'How the distance from the reference is estimated at each token.',
      default: 'k1',
      options: options(ESTIMATORS),
      source: 'TRL',
    },
    cliprange: { ...fields.EPSILON, label: 'Clip range' },
    vf_coef: {
      kind: 'number',
      label: 'Weight of the value loss',
      help: 'How much learning to predict rewards counts beside learning to earn them.',
      default: 0.1,
      min: 0,
      max: 100,
      step: 0.05,
      usual: [0.1, 1],
      source: 'TRL',
    },
    cliprange_value: {
      ...fields.EPSILON,
      label: 'Clip range of values',
      help: 'How far a predicted reward may move before a step stops moving it.',
    },
    gamma: {
      kind: 'number',
      label: 'Gamma',
      help: 'How much of a reward counts one token earlier.',
      default: 1,
      min: 0,
      max: 1,
      step: 0.01,
      usual: [0.95, 1],
      source: 'TRL',
    },
    lam: {
      kind: 'number',
      label: 'Lambda',
      help: 'How far back an unexpected reward reaches: 1 trusts the rewards alone, 0 the predicted ones.',
      default: 0.95,
      min: 0,
      max: 1,
      step: 0.01,
      usual: [0.9, 1],
      source: 'TRL',
    },
    whiten_rewards: {
      kind: 'bool',
      label: 'Scale rewards',
      help: 'Measure rewards in units of their spread over the turn.',
      default: false,
      source: 'TRL',
    },
    missing_eos_penalty: fields.MISSING_EOS_PENALTY,
  },
  defaults: {
    ...REWARD_DEFAULTS,
    'training.learning_rate': [
      { when: ({ trains }) => trains === 'adapter', default: 3e-5, usual: [1e-5, 2e-4], source: 'TRL’s 3e-6, × 10' },
      { default: 3e-6, usual: [1e-6, 1e-5], source: 'TRL' },
    ],
  },
  *refusals({ num_mini_batches }, context) {
    yield* rewardRefusals('ppo', context);
    const answers = answersPerStep(context.training);
    if (answers % num_mini_batches !== 0) {
      yield {
        where: 'objective.num_mini_batches',
        message: `is ${num_mini_batches}, and does not divide the ${answers} answers of a turn.`,
        action: 'Set it to 1, or to a divisor of batch size × gradient accumulation.',
      };
    }
    for (const key of ['ewc_lambda', 'l2_sp_alpha'] as const) {
      if (context.training[key] === 0) continue;
      yield {
        where: `training.${key}`,
        message: 'would hold back the value model as well, which has nothing to forget.',
        action: 'Set it to 0; kl_coef keeps the model near its start.',
      };
    }
  },
  modelRefusals: (_section, model) => rewardModelRefusals(model),
  loss: 'This is no measure of progress: the policy’s part stays near 0, and the rest is how badly rewards are predicted. Look at the scores.',
  metrics: [
    {
      name: 'objective/scores',
      label: 'Mean score',
      help: 'What the run is for: the mean reward of a turn’s answers, less what a missing end costs; it should rise.',
      open: true,
    },
    {
      name: 'objective/kl',
      label: 'Distance from the reference',
      help: 'Summed over an answer, in nats: it grows as the model learns, and above 10 answers are often nonsense that scores well; raise kl_coef.',
      open: true,
    },
    {
      name: 'objective/rlhf_reward',
      label: 'Score less the penalty',
      help: 'What is maximised: the mean score less what the distance from the reference costs; it should rise.',
      open: true,
    },
    {
      name: 'objective/non_score_reward',
      label: 'Penalty',
      help: 'What the distance from the reference costs an answer: it starts at 0 and should stay small beside the score.',
      open: true,
    },
    {
      name: 'objective/entropy',
      label: 'Surprise of an answer',
      help: 'Its negative log-probability, in nats: a fall towards 0 means that all answers become the same.',
      open: true,
    },
    ...REWARD,
    {
      name: 'policy/approxkl_avg',
      label: 'Move of a step',
      help: 'How far the model has moved from the one that wrote the answers: above 0.1, the rate is too high.',
      open: true,
    },
    {
      name: 'policy/clipfrac_avg',
      label: 'Tokens beyond the clip range',
      help: 'Share of the tokens that have moved as far as a step may move them: above 0.3, the rate is too high.',
    },
    {
      name: 'policy/entropy_avg',
      label: 'Entropy',
      help: 'How undecided the model is at each token of the answers, in nats: a fall towards 0 means that all answers become the same.',
      open: true,
    },
    {
      name: 'loss/policy_avg',
      label: 'Policy loss',
      help: 'Near 0 by design, since advantages are measured from their mean.',
      open: true,
    },
    {
      name: 'loss/value_avg',
      label: 'Value loss',
      help: 'How badly rewards are predicted: it should fall, and jump when the answers change.',
      open: true,
    },
    {
      name: 'val/clipfrac_avg',
      label: 'Values beyond the clip range',
      help: 'Share of the predicted rewards that have moved as far as a step may move them.',
    },
    {
      name: 'val/ratio',
      label: 'Ratio of probabilities',
      help: 'Mean of how much likelier a token has become since it was written: it should stay near 1.',
      open: true,
    },
    {
      name: 'val/num_eos_tokens',
      label: 'Ended answers',
      help: 'Answers of the turn that ended by themselves.',
      open: true,
    },
    ...LENGTHS,
    NUM_TOKENS,
    { name: 'episode', label: 'Answers so far', help: 'All that the run has written.', open: true },
  ],
};
