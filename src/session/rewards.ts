/** The rewards of this tab's runs: rules in the data worker, and the person's code in a worker of its own, once it has agreed to it. */
import type { TokenizedExample } from '../data/types';
import type { RewardSection, ScoredAnswer, TriedAnswer } from '../rewards';
import type { AnswerToRead, PageScores } from '../workers/engine/api';
import { mayRun } from './code-consent';
import type { CodeHost } from './code-host';
import type { DataHost } from './data-host';
import type { ModelSession } from './models';
import { unseen } from './reward-errors';
import { checkColumns, scoreAnswers, valuesOf } from './scoring';

export class RewardSession {
  constructor(
    private readonly data: DataHost,
    private readonly code: CodeHost,
    private readonly models: ModelSession,
  ) {}

  score(rewards: readonly RewardSection[], answers: readonly AnswerToRead[]): Promise<PageScores> {
    const { tokenizer } = this.models.require();
    return scoreAnswers(rewards, answers, {
      ...this.needs,
      decodeAll: (texts) => this.data.decodeAll(tokenizer, texts),
    });
  }

  /** What a reward gives for answers that a person looks at; null if only the engine could say. */
  async tryOn(reward: RewardSection, answers: readonly TriedAnswer[]): Promise<(number | null)[] | null> {
    const { tokenizer, tokens: special } = this.models.require();
    // A run counts the end of an answer too.
    const end = special.stopTokenIds.slice(0, 1);
    const texts = answers.map(({ completion }) => completion);
    const tokens = await this.data.encodeTexts(tokenizer, texts, MOST_TOKENS);
    const whole = answers.map((answer, i) => ({ ...answer, finished: true, tokens: [...tokens[i]!, ...end] }));
    return valuesOf(reward, whole, this.needs);
  }

  /** Refuses what could not be scored, before a run exists. */
  check(rewards: readonly RewardSection[], examples: readonly TokenizedExample[]): void {
    checkColumns(
      rewards,
      examples.filter((example) => example.kind === 'prompt'),
    );
    for (const reward of rewards) if (reward.type === 'javascript' && !mayRun(reward.code)) throw unseen(reward.name);
  }

  private readonly needs = {
    byRule: (reward: RewardSection, answers: ScoredAnswer[]) => this.data.scoreAnswers(reward, answers),
    byCode: async (reward: RewardSection, answers: ScoredAnswer[]) => {
      if (reward.type !== 'javascript') throw new Error(`${reward.type} has no code.`);
      if (!mayRun(reward.code)) throw unseen(reward.name);
      return this.code.score(reward.name, reward.code, answers);
    },
  };
}

const MOST_TOKENS = 4096;
