/** Metrics of the objectives that learn from rewards, under TRL's names, and how to read them. */
import type { MetricInfo } from '../objective';

export const REWARD: readonly MetricInfo[] = [
  {
    name: 'reward',
    label: 'Mean reward',
    help: 'What the run is for: it should rise, unevenly. A rise while the answers get worse means that the rewards can be cheated.',
    open: true,
  },
  {
    name: 'reward_std',
    label: 'Spread of rewards',
    help: 'Standard deviation over the answers of a step: near 0 they all score alike, and there is nothing left to learn from.',
    open: true,
  },
];

export const NO_SPREAD: MetricInfo = {
  name: 'frac_reward_zero_std',
  label: 'Prompts without spread',
  help: 'Share of the prompts whose answers all scored alike, from which nothing is learned: above one half, the prompts are too easy or too hard, or the reward is too coarse.',
};

export const LENGTHS: readonly MetricInfo[] = [
  {
    name: 'completions/clipped_ratio',
    label: 'Cut-off answers',
    help: 'Share of the answers that did not end by themselves: if it grows, the model has learned to go on and on, or the limit is too low.',
  },
  {
    name: 'completions/mean_length',
    label: 'Mean length',
    help: 'Tokens of an answer: steady growth without better rewards is a sign that length itself is rewarded.',
    open: true,
  },
  { name: 'completions/min_length', label: 'Shortest answer', help: 'In tokens.', open: true },
  { name: 'completions/max_length', label: 'Longest answer', help: 'In tokens.', open: true },
  {
    name: 'completions/mean_terminated_length',
    label: 'Mean length of ended answers',
    help: 'Tokens of the answers that ended by themselves; 0 if none did.',
    open: true,
  },
  {
    name: 'completions/min_terminated_length',
    label: 'Shortest ended answer',
    help: 'In tokens; 0 if none ended.',
    open: true,
  },
  {
    name: 'completions/max_terminated_length',
    label: 'Longest ended answer',
    help: 'In tokens; 0 if none ended.',
    open: true,
  },
];

export const KL: MetricInfo = {
  name: 'kl',
  label: 'Distance from the reference',
  help: 'Estimated divergence per token: it grows slowly as the model learns, and a sudden climb means that it is falling apart; lower the rate or raise beta.',
  open: true,
};

export const ENTROPY: MetricInfo = {
  name: 'entropy',
  label: 'Entropy',
  help: 'How undecided the model is at each token, in nats: a fall towards 0 means that all answers become the same, and learning ends.',
  open: true,
};

export const CLIP_RATIOS: readonly MetricInfo[] = [
  {
    name: 'clip_ratio/region_mean',
    label: 'Beyond epsilon',
    help: 'Share of the tokens that have moved as far as a step may move them: 0 while each answer is used once, and above 0.2 the rate is too high.',
  },
  {
    name: 'clip_ratio/low_mean',
    label: 'Beyond the lower bound',
    help: 'Share of the tokens that have become as unlikely as a step may make them.',
  },
  {
    name: 'clip_ratio/low_min',
    label: 'Beyond the lower bound, least',
    help: 'The same in the answer with the smallest share.',
  },
  {
    name: 'clip_ratio/high_mean',
    label: 'Beyond the upper bound',
    help: 'Share of the tokens that have become as likely as a step may make them.',
  },
  {
    name: 'clip_ratio/high_max',
    label: 'Beyond the upper bound, most',
    help: 'The same in the answer with the largest share.',
  },
];

export const NUM_TOKENS: MetricInfo = {
  name: 'num_tokens',
  label: 'Tokens of prompts and answers',
  help: 'All that the run has read and written so far.',
  open: true,
};

export const SURROGATE_LOSS =
  'This is no measure of progress: it stays near 0, because answers are compared with each other. Look at the reward.';
