/**
 * Group relative policy optimisation (DeepSeekMath, Shao et al., 2024) as TRL 1.16.0 does it: several answers to each prompt, and
 * each is made more or less likely by how much better it scored than the others.
 */
import type { GrpoObjective } from '../../objectives/grpo';
import { batchAs, type Objective, type ObjectiveTwin } from './objective';
import { groupAdvantages, nothingToLearn } from './reinforcement/advantages';
import { answerTokens, perToken, tokenMean } from './reinforcement/answer-tokens';
import { figureOf } from './reinforcement/held';
import { policyLoss } from './reinforcement/policy-loss';
import { ofMicroBatch } from './reinforcement/result';
import { answerLogProbs, keep, reusedRollouts, shuffled } from './reinforcement/reused';
import { lengthMetrics, rewardMetrics, shownRollouts } from './reinforcement/rollouts';
import { targetLogProbsAndEntropy } from './tokens';

export function grpo(section: GrpoObjective): Objective {
  const { num_iterations: steps, temperature, beta, max_completion_length, num_generations } = section;
  // Answers that are used once are used by the policy that wrote them.
  const needsOld = steps > 1;
  const needsReference = beta !== 0;
  return {
    batches: 'prompt',
    ...(needsReference ? { usesReference: true as const } : {}),
    ...reusedRollouts({
      ...{ steps, sampling: section, maxNewTokens: max_completion_length, generations: num_generations },
      async turn(tools, scored, count) {
        const { answers, rewards } = scored;
        const old = needsOld ? await answerLogProbs(tools, tools.policy, answers, temperature) : [];
        const reference = needsReference ? await answerLogProbs(tools, tools.reference(), answers, temperature) : [];
        if (!old || !reference) return null;
        const advantages = groupAdvantages(rewards, num_generations, section.scale_rewards);
        tools.show(shownRollouts(scored, advantages.values));
        const masked = answers.map(({ finished }) => section.mask_truncated_completions && !finished);
        const learned = answers.reduce((sum, { ids }, i) => sum + (masked[i] ? 0 : ids.length), 0);
        const batches = Math.ceil(answers.length / tools.settings.per_device_train_batch_size);
        const held = answers.map((answer, i) => ({
          ...keep(answer),
          ...(masked[i] ? { masked: true as const } : {}),
          figures: {
            advantage: advantages.values[i]!,
            tokens_per_batch: Math.max(1, learned) / batches,
            ...(needsOld ? { old: old[i]! } : {}),
            ...(needsReference ? { reference: reference[i]! } : {}),
          },
        }));
        return {
          answers: shuffled(held, tools, count),
          metrics: {
            ...rewardMetrics(scored),
            frac_reward_zero_std: advantages.withoutSpread,
            ...lengthMetrics(answers),
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
      const given = (name: string) => perToken(tokens, figureOf(own, name), own.batchSize);
      const { loss, metrics } = policyLoss(
        tokens,
        {
          logProbs,
          old: needsOld ? given('old') : null,
          reference: needsReference ? given('reference') : null,
          advantages: given('advantage'),
          tokensPerBatch: figureOf(own, 'tokens_per_batch')[0]!,
        },
        section,
      );
      return ofMicroBatch(pass, loss, { ...metrics, entropy: tokenMean(tokens, entropy) });
    },
  };
}

export const grpoTwin: ObjectiveTwin<GrpoObjective> = { type: 'grpo', create: grpo };
