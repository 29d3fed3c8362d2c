/** What is drawn of a run that learns from rewards of its own answers, and what is said of it. The names are TRL's. */

import { change, valuesOf } from './comparisons';
import type { ChartInfo, Figures, RunRemark } from './types';

export const REWARD_CHART: ChartInfo = {
  title: 'Reward',
  help: 'Mean of the weighted rewards over the answers of a step: this is what should rise. It jumps, since every step asks other prompts; held-out prompts (dots) are steadier.',
  lines: [{ metric: 'reward', label: 'Reward' }],
};

export const EACH_REWARD_CHART: ChartInfo = {
  title: 'Each reward',
  help: 'The mean of each reward by itself, before its weight: it shows which one the model is learning for, and at what cost of the others.',
  lines: [],
  each: /^rewards\/(.+)\/mean$/,
};

export const SPREAD_CHART: ChartInfo = {
  title: 'Spread of the rewards',
  help: 'The model learns from differences between answers to one prompt. Groups in which all answers are scored alike teach nothing: their share should stay well below 1.',
  lines: [
    { metric: 'reward_std', label: 'Standard deviation' },
    { metric: 'frac_reward_zero_std', label: 'Share of groups without spread' },
  ],
};

export const LENGTH_CHART: ChartInfo = {
  title: 'Length of the answers',
  help: 'Tokens of an answer. Answers that grow without better rewards have found that length pays.',
  lines: [
    { metric: 'completions/mean_length', label: 'Mean' },
    { metric: 'completions/max_length', label: 'Longest' },
  ],
};

export const CUT_OFF_CHART: ChartInfo = {
  title: 'Answers cut off',
  help: 'Share of the answers that reached the limit of new tokens without an end. They are scored as they stand, so it should fall towards 0.',
  lines: [{ metric: 'completions/clipped_ratio', label: 'Share' }],
};

export const KL_CHART: ChartInfo = {
  title: 'Distance from the start',
  help: 'KL divergence from the model as it was before the run. A slow rise is learning; a steep one means that it is leaving what it knew for the reward.',
  lines: [
    { metric: 'kl', label: 'KL' },
    { metric: 'objective/kl', label: 'KL' },
  ],
};

export const ENTROPY_CHART: ChartInfo = {
  title: 'Entropy',
  help: 'How undecided the model is about the next token. Once it nears 0, all answers to a prompt are the same and nothing more is learned.',
  lines: [
    { metric: 'entropy', label: 'Entropy' },
    { metric: 'policy/entropy_avg', label: 'Entropy' },
  ],
};

export const REINFORCEMENT_CHARTS: readonly ChartInfo[] = [
  REWARD_CHART,
  EACH_REWARD_CHART,
  SPREAD_CHART,
  KL_CHART,
  LENGTH_CHART,
  CUT_OFF_CHART,
  ENTROPY_CHART,
];

/** What users of reinforcement learning report, said when their run shows it. */
export function reinforcementRemarks(figures: readonly Figures[]): RunRemark[] {
  const remarks: RunRemark[] = [];
  const add = (title: string, text: string) => remarks.push({ tone: 'warning', title, text });
  const reward = change(figures, 'reward') ?? change(figures, 'objective/scores');
  const length = change(figures, 'completions/mean_length');
  const cut = change(figures, 'completions/clipped_ratio');
  const alike = change(figures, 'frac_reward_zero_std');
  const divergence = valuesOf(figures, 'kl').at(-1) ?? valuesOf(figures, 'objective/kl').at(-1);
  if (length && reward && length.last > 1.5 * length.first && reward.last <= reward.first) {
    add('Answers grow longer, but not better.', 'Add a reward for length, or lower the limit of new tokens.');
  }
  if (cut && cut.last > 0.5) {
    add(
      'Most answers are cut off.',
      'They reach the limit of new tokens before they end, so rewards judge halves. Raise max_completion_length, or set mask_truncated_completions.',
    );
  }
  if (alike && alike.last > 0.8) {
    add(
      'Most groups are scored alike.',
      'Where all answers to a prompt get the same reward there is nothing to learn. Raise the temperature or num_generations, or use rewards that tell answers apart.',
    );
  }
  if (divergence !== undefined && divergence > 10) {
    add(
      'The model is far from where it started.',
      'A KL divergence above 10 usually means that it has found a way around the reward. Read the answers; raise beta or kl_coef, or lower the learning rate.',
    );
  }
  return remarks;
}
