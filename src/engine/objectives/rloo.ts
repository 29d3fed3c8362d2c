/**
 * REINFORCE with a leave-one-out baseline (Ahmadian et al., 2024) as TRL 1.16.0 does it: an answer is compared with the mean of the
 * others to its prompt, after a penalty for what the reference finds unlikely, and counts as a whole.
 */
import type { RlooObjective } from '../../objectives/rloo';
import { batchAs, type Objective, type ObjectiveTwin } from './objective';
import { leaveOneOutAdvantages, nothingToLearn } from './reinforcement/advantages';
import { answerTokens, rowSums, tokenMean } from './reinforcement/answer-tokens';
import { figureOf } from './reinforcement/held';
import { sequenceLoss } from './reinforcement/policy-loss';
import { ofMicroBatch } from './reinforcement/result';
import { answerLogProbs, keep, reusedRollouts, shuffled } from './reinforcement/reused';
import { lengthMetrics, rewardMetrics, shownRollouts } from './reinforcement/rollouts';
import { targetLogProbsAndEntropy } from './tokens';

const sum = (values: readonly number[]) => values.reduce((total, x) => total + x, 0);

export function rloo(section: RlooObjective): Objective {
  const { num_iterations: steps, temperature, beta, max_completion_length, num_generations } = section;
  return {
    batches: 'prompt',
    ...(beta === 0 ? {} : { usesReference: true as const }),
    ...reusedRollouts({
      ...{ steps, sampling: section, maxNewTokens: max_completion_length, generations: num_generations },
      async turn(tools, scored, count) {
        const { answers, rewards } = scored;
        const old = await answerLogProbs(tools, tools.policy, answers, temperature);
        const reference =
          old && beta !== 0 ? await answerLogProbs(tools, tools.reference(), answers, temperature) : old;
        if (!old || !reference) return null;
        const masked = answers.map(({ finished }) => section.mask_truncated_completions && !finished);
        // Of whole answers, those left out having none.
        const kl = old.map((own, i) => (masked[i] ? 0 : sum(own) - sum(reference[i]!)));
        const tokens = sum(answers.map(({ ids }, i) => (masked[i] ? 0 : ids.length)));
        const penalised = rewards.map((reward, i) => reward - beta * kl[i]!);
        const advantages = leaveOneOutAdvantages(penalised, num_generations, section.normalize_advantages);
        tools.show(shownRollouts(scored, advantages.values));
        const held = answers.map((answer, i) => ({
          ...keep(answer),
          ...(masked[i] ? { masked: true as const } : {}),
          figures: { advantage: advantages.values[i]!, old: masked[i] ? 0 : sum(old[i]!) },
        }));
        return {
          answers: shuffled(held, tools, count),
          metrics: {
            ...rewardMetrics(scored),
            frac_reward_zero_std: advantages.withoutSpread,
            ...lengthMetrics(answers),
            ...(beta === 0 ? {} : { kl: sum(kl) / Math.max(1, tokens) }),
          },
          withoutSpread: nothingToLearn(rewards, num_generations) ? 1 : 0,
        };
      },
    }),
    loss(pass, batch) {
      const own = batchAs(batch, 'rollout');
      const tokens = answerTokens(own);
      const { policy } = pass;
      const { logProbs, entropy } = targetLogProbsAndEntropy(policy, policy.hidden(own), tokens.targets, temperature);
      const { loss, metrics } = sequenceLoss(
        rowSums(tokens, logProbs),
        { old: figureOf(own, 'old'), advantages: figureOf(own, 'advantage') },
        section,
      );
      return ofMicroBatch(pass, loss, { ...metrics, entropy: tokenMean(tokens, entropy) });
    },
  };
}

export const rlooTwin: ObjectiveTwin<RlooObjective> = { type: 'rloo', create: rloo };
