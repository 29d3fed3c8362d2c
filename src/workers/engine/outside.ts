/**
 * What a run asks of the page: the rewards of its answers, which need their text. The page answers with `scored`; until then the
 * run waits. Reward models run here, on what the page has left open.
 */
import { type ErrorData, TabtuneError } from '../../base/errors';
import type { AnswerToScore, Scores, ShownRollout } from '../../engine/objectives/objective';
import type { Outside } from '../../engine/run/pass';
import { type RewardSection, rewardOf } from '../../rewards';
import type { EngineEvent, PageScores } from './api';

/** Scores answers with a reward model, in their order. `texts`: the answers as text. */
export type ScoreByModel = (
  section: Extract<RewardSection, { type: 'reward_model' }>,
  answers: readonly AnswerToScore[],
  texts: readonly string[],
) => Promise<readonly number[]>;

/** Questions to the page that wait for their answers. */
export class Questions {
  private readonly waiting = new Map<number, (result: PageScores | ErrorData) => void>();
  private asked = 0;

  ask(send: (id: number) => void): Promise<PageScores> {
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (result) => {
        if ('code' in result) reject(TabtuneError.fromData(result));
        else resolve(result);
      });
      send(id);
    });
  }

  /** An answer to a question of a run that has ended meanwhile is nobody's. */
  answer(id: number, result: PageScores | ErrorData): void {
    this.waiting.get(id)?.(result);
    this.waiting.delete(id);
  }
}

export function createOutside(
  rewards: readonly RewardSection[],
  questions: Questions,
  onEvent: (event: EngineEvent) => void,
  byModel?: ScoreByModel,
): Outside {
  const values = async (section: RewardSection, answers: readonly AnswerToScore[], texts: readonly string[]) => {
    if (section.type !== 'reward_model' || !byModel) throw noModel(section);
    const scores = await byModel(section, answers, texts);
    if (scores.length !== answers.length) {
      throw new Error(`${section.name} gave ${scores.length} scores for ${answers.length} answers.`);
    }
    const bad = scores.findIndex((score) => !Number.isFinite(score));
    if (bad >= 0) {
      throw new TabtuneError({
        code: 'bad_reward',
        message: `${section.name} gave ${scores[bad]} for an answer to row ${answers[bad]!.prompt.row}.`,
        where: 'objective.rewards',
        action: 'Its weights may be damaged: use another reward model.',
      });
    }
    return scores;
  };
  return {
    async score(answers): Promise<Scores> {
      const asked = answers.map(({ prompt: { row, prompt, columns }, ids, finished }) => ({
        ...{ row, prompt, columns, ids, finished },
      }));
      const page = await questions.ask((id) => onEvent({ type: 'score', id, answers: asked }));
      const columns: (readonly (number | null)[])[] = [];
      for (const [i, section] of rewards.entries()) {
        const here = rewardOf(section).runs === 'engine';
        columns.push(here ? await values(section, answers, page.texts) : page.values[i]!);
      }
      return {
        names: rewards.map(({ name }) => name),
        weights: rewards.map(({ weight }) => weight),
        values: answers.map((_, at) => columns.map((column) => column[at]!)),
        texts: page.texts,
      };
    },
    show: (step: number, rollouts: readonly ShownRollout[]) => onEvent({ type: 'rollouts', step, rollouts }),
  };
}

const noModel = ({ name }: RewardSection) =>
  new TabtuneError({
    code: 'bad_recipe',
    message: `${name} is a reward model, and nothing here can run it.`,
    where: 'objective.rewards',
    action: 'Remove it, or use another reward.',
  });
