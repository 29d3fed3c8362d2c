/** The rewards of answers that a run has written: as text, by the rules of the data worker, by the person's code in its sandbox. */
import { TabtuneError } from '../base/errors';
import { type RewardSection, rewardOf, type ScoredAnswer } from '../rewards';
import type { AnswerToRead, PageScores } from '../workers/engine/api';

export interface ScoringNeeds {
  /** The texts of tokens, without special tokens. */
  decodeAll(texts: Int32Array[]): Promise<string[]>;
  /** By a reward that runs in the data worker. */
  byRule(reward: RewardSection, answers: ScoredAnswer[]): Promise<(number | null)[]>;
  /** By the person's code. */
  byCode(reward: RewardSection, answers: ScoredAnswer[]): Promise<(number | null)[]>;
}

export const readable = ({ prompt, columns, finished, ids }: AnswerToRead, completion: string): ScoredAnswer => ({
  ...{ prompt, completion, columns, finished },
  tokens: Array.from(ids),
});

export async function scoreAnswers(
  rewards: readonly RewardSection[],
  answers: readonly AnswerToRead[],
  needs: ScoringNeeds,
): Promise<PageScores> {
  const texts = await needs.decodeAll(answers.map(({ ids }) => ids));
  const read = answers.map((answer, i) => readable(answer, texts[i]!));
  const values: PageScores['values'][number][] = [];
  for (const reward of rewards) values.push(await valuesOf(reward, read, needs));
  return { texts, values };
}

/** Null for a reward that the engine computes. */
export async function valuesOf(
  reward: RewardSection,
  answers: ScoredAnswer[],
  { byRule, byCode }: Pick<ScoringNeeds, 'byRule' | 'byCode'>,
): Promise<(number | null)[] | null> {
  const { runs } = rewardOf(reward);
  if (runs === 'engine') return null;
  return runs === 'sandbox' ? byCode(reward, answers) : byRule(reward, answers);
}

/** The columns that rewards read and no prompt has. */
export function checkColumns(rewards: readonly RewardSection[], prompts: readonly { columns: object }[]): void {
  if (prompts.length === 0) return;
  for (const [i, reward] of rewards.entries()) {
    for (const column of rewardOf(reward).columns(reward)) {
      if (prompts.some(({ columns }) => Object.hasOwn(columns, column))) continue;
      const there = [...new Set(prompts.flatMap(({ columns }) => Object.keys(columns)))];
      throw new TabtuneError({
        code: 'bad_recipe',
        message: `${reward.name} reads the column ${JSON.stringify(column)}, which the dataset does not have.`,
        where: `objective.rewards.${i}.column`,
        action:
          there.length > 0
            ? `Its columns beside the prompt are ${there.join(', ')}.`
            : 'It has none beside the prompt.',
      });
    }
  }
}
