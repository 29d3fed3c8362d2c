import { completeRewards, type RewardInput, rewardOf, type ScoredAnswer } from '../../../src/rewards';

/** What a reward gives for a text, or for an answer with more about it. */
export async function scoreOf(reward: RewardInput, answer: string | Partial<ScoredAnswer>) {
  const [section] = completeRewards([reward]);
  const score = await rewardOf(section!).scorer!(section!);
  const given = typeof answer === 'string' ? { completion: answer } : answer;
  return score({ prompt: '', completion: '', columns: {}, finished: true, tokens: [], ...given });
}
