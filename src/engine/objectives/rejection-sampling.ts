/**
 * Rejection sampling (RAFT, Dong et al., 2023; ReST, Gulcehre et al., 2023): several answers to each prompt, and supervised learning
 * of the best ones. TRL has no class for it.
 */
import type { RejectionSamplingObjective } from '../../objectives/rejection-sampling';
import { batchAs, lossOnly, type Objective, type ObjectiveTwin } from './objective';
import { mean } from './reinforcement/advantages';
import { answerTokens } from './reinforcement/answer-tokens';
import type { HeldAnswer } from './reinforcement/held';
import { keep, reusedRollouts, shuffled } from './reinforcement/reused';
import { lengthMetrics, rewardMetrics, shownRollouts } from './reinforcement/rollouts';
import { headLoss } from './tokens';

/** Indices of the answers to learn from, of groups of `size`. NaN: no reward says anything. */
export function chosenAnswers(
  rewards: readonly number[],
  size: number,
  { keep: which, threshold }: Pick<RejectionSamplingObjective, 'keep' | 'threshold'>,
): number[] {
  if (which === 'threshold') return rewards.flatMap((reward, i) => (reward >= threshold ? [i] : []));
  return Array.from({ length: rewards.length / size }, (_, g) => {
    const group = rewards.slice(g * size, (g + 1) * size);
    const best = group.reduce(
      (at, reward, i) => (reward > (group[at] ?? -Infinity) || Number.isNaN(group[at]) ? i : at),
      0,
    );
    return group[best]! > mean(group) ? [g * size + best] : [];
  }).flat();
}

export function rejectionSampling(section: RejectionSamplingObjective): Objective {
  const { num_generations, max_completion_length } = section;
  return {
    batches: 'prompt',
    ...reusedRollouts({
      ...{ steps: 1, sampling: section, maxNewTokens: max_completion_length, generations: num_generations },
      async turn(tools, scored, count) {
        const { answers } = scored;
        // Answers that are left out compare with nothing.
        const rewards = scored.rewards.map((reward, i) =>
          section.mask_truncated_completions && !answers[i]!.finished ? Number.NaN : reward,
        );
        const seen = new Set<string>();
        const kept = chosenAnswers(rewards, num_generations, section).filter((i) => {
          const key = `${answers[i]!.prompt.ids} ${answers[i]!.ids}`;
          if (seen.has(key)) return false;
          seen.add(key);
          return true;
        });
        const chosen = new Set(kept);
        tools.show(
          shownRollouts(
            scored,
            answers.map((_, i) => (chosen.has(i) ? 1 : 0)),
          ),
        );
        const prompts = answers.length / num_generations;
        const learned = new Set(kept.map((i) => Math.floor(i / num_generations))).size;
        const held: HeldAnswer[] = kept.map((i) => ({ ...keep(answers[i]!), figures: {} }));
        return {
          // A step needs a batch: one of which nothing is learned, if nothing was kept.
          answers:
            held.length > 0 ? shuffled(held, tools, count) : [{ ...keep(answers[0]!), masked: true, figures: {} }],
          metrics: {
            ...rewardMetrics(scored),
            reward_kept: mean(kept.map((i) => rewards[i]!)),
            frac_kept: learned / prompts,
            ...lengthMetrics(answers),
          },
          withoutSpread: 1 - learned / prompts,
          ...(section.keep === 'threshold' && {
            why: {
              message: (turns: number) =>
                `None of ${answers.length} answers reached the threshold, ${turns} times in a row, so none was learned.`,
              action: 'Lower the threshold, or learn from the best answer to each prompt.',
            },
          }),
        };
      },
    }),
    targets: undefined,
    loss(pass, batch) {
      const own = batchAs(batch, 'rollout');
      return lossOnly(headLoss(pass, pass.policy.hidden(own), answerTokens(own).targets), own.targetCount);
    },
  };
}

export const rejectionSamplingTwin: ObjectiveTwin<RejectionSamplingObjective> = {
  type: 'rejection_sampling',
  create: rejectionSampling,
};
