/** What is said of a run's figures: each remark where its cause is there, and none where it is not. */
import { describe, expect, test } from 'vitest';
import { preferenceRemarks } from '../../../src/app/components/train/figures/comparisons';
import { reinforcementRemarks } from '../../../src/app/components/train/figures/rewards';
import type { Figures } from '../../../src/app/components/train/figures/types';

/** Twelve steps in which each metric goes from one value to another. */
const run = (metrics: Record<string, [from: number, to: number]>): Figures[] =>
  Array.from({ length: 12 }, (_, i) => ({
    step: i + 1,
    evaluation: false,
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([name, [from, to]]) => [name, from + ((to - from) * i) / 11]),
    ),
  }));

const titles = (remarks: readonly { title: string; tone: string }[]) =>
  remarks.map(({ title, tone }) => `${tone}: ${title}`);

describe('preferences', () => {
  test('both rewards falling while the margin grows is usual', () => {
    const usual = run({ 'rewards/chosen': [0, -1], 'rewards/margins': [0, 2], 'logps/chosen': [-40, -50] });
    expect(titles(preferenceRemarks(usual))).toEqual([
      'note: The reward of the better answers is below 0. That is usual.',
    ]);
  });

  test('better answers that become unlikely, and margins that are learned by heart', () => {
    const spoiled = run({ 'rewards/chosen': [0, -9], 'rewards/margins': [0, 40], 'logps/chosen': [-40, -130] });
    expect(titles(preferenceRemarks(spoiled))).toEqual([
      'warning: The better answers have become much less likely.',
      'warning: The pairs are learned by heart.',
    ]);
  });

  test('nothing is said of a good run, of few steps or of steps without these figures', () => {
    const good = { 'rewards/chosen': [0, 1], 'rewards/margins': [0, 2], 'logps/chosen': [-40, -38] } as const;
    expect(preferenceRemarks(run(good as never))).toEqual([]);
    const bad = run({ 'rewards/margins': [20, 40] });
    expect(preferenceRemarks(bad.slice(0, 9))).toEqual([]);
    expect(preferenceRemarks(run({}))).toEqual([]);
  });
});

describe('rewards', () => {
  test.each([
    [{ reward: [1, 0.9], 'completions/mean_length': [10, 30] }, 'Answers grow longer, but not better.'],
    [{ 'completions/clipped_ratio': [0.2, 0.9] }, 'Most answers are cut off.'],
    [{ frac_reward_zero_std: [0.5, 1] }, 'Most groups are scored alike.'],
    [{ kl: [0, 12] }, 'The model is far from where it started.'],
    [{ 'objective/kl': [0, 12] }, 'The model is far from where it started.'],
  ] as [Record<string, [number, number]>, string][])('%j', (metrics, title) => {
    expect(titles(reinforcementRemarks(run(metrics)))).toEqual([`warning: ${title}`]);
  });

  test('answers that grow with their rewards, and what is in order', () => {
    const fine = run({
      ...{ reward: [0.2, 0.9], 'completions/mean_length': [10, 30], 'completions/clipped_ratio': [0.4, 0] },
      ...{ frac_reward_zero_std: [0.1, 0.4], kl: [0, 0.5] },
    });
    expect(reinforcementRemarks(fine)).toEqual([]);
  });
});
