/** Answers of the model to prompts, with their rewards. */
import { TabtuneError } from '../../../base/errors';
import type { PromptExample } from '../../../data/types';
import type { PrepareTools, Scores, ShownRollout } from '../objective';
import { deviation, mean, totalRewards } from './advantages';

export interface Sampling {
  temperature: number;
  top_p: number;
  top_k: number;
}

export interface Answer {
  prompt: PromptExample;
  ids: Int32Array;
  finished: boolean;
}

export interface ScoredAnswers {
  answers: readonly Answer[];
  scores: Scores;
  /** NaN where no reward says anything. */
  rewards: number[];
}

/** Draws of evaluations, apart from those of steps, which count from 0; the same in each, so that two of them compare. */
export const EVALUATION_DRAW = 0xffffffff;

/** Null once the run is to stop. */
export async function answerPrompts(
  tools: PrepareTools,
  prompts: readonly PromptExample[],
  { temperature, top_p, top_k }: Sampling,
  maxNewTokens: number,
  draw: number,
): Promise<Answer[] | null> {
  if (tools.stopped()) return null;
  const written = await tools.generateBatch(
    prompts.map(({ ids }) => ids),
    {
      ...{ temperature, topP: top_p, topK: top_k, maxNewTokens },
      ...{ stopTokenIds: tools.tokens.stop, seed: tools.settings.seed, draw },
    },
  );
  if (tools.stopped()) return null;
  return written.map(({ ids, finished }, i) => ({ prompt: prompts[i]!, ids, finished }));
}

export async function scoreAnswers(tools: PrepareTools, answers: readonly Answer[]): Promise<ScoredAnswers> {
  const scores = await tools.score(answers);
  const { names, values } = scores;
  if (values.length !== answers.length) {
    throw new Error(`${answers.length} answers got ${values.length} rows of rewards.`);
  }
  for (const [i, row] of values.entries()) {
    const k = row.findIndex((value) => value === Infinity || value === -Infinity);
    if (k < 0) continue;
    throw new TabtuneError({
      code: 'bad_recipe',
      message: `The reward ${names[k]} gave ${row[k]} to an answer to row ${answers[i]!.prompt.row}.`,
      where: 'objective.rewards',
      action: 'Have it give a finite number, or null where it has nothing to say.',
    });
  }
  return { answers, scores, rewards: totalRewards(scores) };
}

/** Under TRL's names. What cannot be known (the spread of one answer, say) is left out. */
export function rewardMetrics({ scores, rewards }: ScoredAnswers): Record<string, number> {
  const ofReward = (k: number) => scores.values.map((row) => row[k] ?? Number.NaN);
  return finite({
    reward: mean(rewards),
    reward_std: deviation(rewards),
    ...Object.fromEntries(
      scores.names.flatMap((name, k) => [
        [`rewards/${name}/mean`, mean(ofReward(k))],
        [`rewards/${name}/std`, deviation(ofReward(k))],
      ]),
    ),
  });
}

export function lengthMetrics(answers: readonly Answer[]): Record<string, number> {
  const lengths = answers.map(({ ids }) => ids.length);
  const ended = answers.filter(({ finished }) => finished).map(({ ids }) => ids.length);
  const of = (list: number[], suffix: string) => ({
    [`completions/mean_${suffix}`]: list.length > 0 ? mean(list) : 0,
    [`completions/min_${suffix}`]: list.length > 0 ? Math.min(...list) : 0,
    [`completions/max_${suffix}`]: list.length > 0 ? Math.max(...list) : 0,
  });
  return {
    ...of(lengths, 'length'),
    ...of(ended, 'terminated_length'),
    'completions/clipped_ratio': 1 - ended.length / Math.max(1, answers.length),
  };
}

export const finite = (metrics: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));

export function shownRollouts(
  { answers, scores, rewards }: ScoredAnswers,
  advantages?: readonly number[],
): ShownRollout[] {
  return answers.map(({ prompt, ids, finished }, i) => ({
    row: prompt.row,
    text: scores.texts[i] ?? '',
    rewards: Object.fromEntries(scores.names.map((name, k) => [name, scores.values[i]![k]!])),
    reward: rewards[i]!,
    advantage: advantages?.[i] ?? null,
    tokens: ids.length,
    finished,
  }));
}
