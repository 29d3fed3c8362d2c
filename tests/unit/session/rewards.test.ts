/** A run asks for the rewards of its answers: decoded and scored on the page's side, refused, mended, resumed. */
import { expect, it } from 'vitest';
import type { PromptExample } from '../../../src/data/types';
import type { RewardInput } from '../../../src/rewards';
import { allowCode } from '../../../src/session/code-consent';
import { getRun } from '../../../src/storage/runs';
import type { RunRecord } from '../../../src/storage/types';
import type { AnswerToRead, PageScores } from '../../../src/workers/engine/api';
import { until } from '../../support/time';
import { freshStages, open } from './fresh-stage';
import { begun, metrics, recipe } from './stage';

freshStages();

const learning = (rewards: RewardInput[]) =>
  recipe({
    dataset: { source: 'builtin:quiz', format: 'prompt_only', validation_split: 0 },
    // Its length decides nothing here.
    training: { max_steps: 7 },
    objective: { type: 'grpo', rewards } as never,
  });
const code = (text: string) => `function reward({ completion, columns, tokens, finished }) { ${text} }`;
const mine = (text: string): RewardInput => ({ type: 'javascript', name: 'mine', code: code(text) });

/** Starts a run, and asks for the rewards of three answers, each of which repeats its prompt. */
async function ask(rewards: RewardInput[]) {
  const running = open.session.train(learning(rewards));
  const stint = await until(() => open.engine.stints[0]);
  stint.emit(begun(stint.job.run));
  const prompts = stint.job.train.slice(0, 3) as PromptExample[];
  const answers = answersTo(prompts);
  stint.emit({ type: 'score', id: 4, answers });
  const result = await until(() => open.engine.scored[0]);
  return { running, stint, answers, result };
}

const answersTo = (prompts: readonly PromptExample[]): AnswerToRead[] =>
  prompts.map(({ row, prompt, columns, ids }) => ({ row, prompt, columns, ids, finished: true }));

it('scores answers as text, by rules and by code, each from all that is known of an answer', async () => {
  const own = mine('return columns.right_word.length + (finished ? 0.5 : 0) + tokens.length / 1000;');
  allowCode(own.type === 'javascript' ? own.code! : '');
  const rewards: RewardInput[] = [
    { type: 'contains', words: ['opposite'] },
    own,
    { type: 'exact_answer', column: 'right_word', compare: 'text' },
  ];
  const { answers, result, stint, running } = await ask(rewards);
  const { texts, values } = result as PageScores;
  expect(open.engine.calls).toContain('scored 4');
  expect(texts[0]).toContain('What is the opposite word for left?');
  // Special tokens are no part of an answer's text.
  expect(texts.join('')).not.toMatch(/<\|/);
  expect(values[0]).toEqual([1, 0, 0]);
  const expected = answers.map(({ columns, ids }) => String(columns.right_word).length + 0.5 + ids.length / 1000);
  expect(values[1]).toEqual(expected);
  expect(values[2]).toEqual([0, 0, 0]);
  stint.end();
  expect((await running).status).toBe('completed');
});

it('refuses a run before it exists: a column that is not there, code that nobody has agreed to', async () => {
  await expect(open.session.train(learning([{ type: 'exact_answer', column: 'solution' }]))).rejects.toMatchObject({
    code: 'bad_recipe',
    where: 'objective.rewards.0.column',
    message: 'exact_answer reads the column "solution", which the dataset does not have.',
  });
  await expect(open.session.train(learning([mine('return 1; // a stranger’s')]))).rejects.toMatchObject({
    code: 'bad_reward',
    action: expect.stringContaining('Allow this code'),
  });
  expect(await open.session.runs()).toEqual([]);
});

it('a reward that fails ends the run, which goes on with the mended one', async () => {
  const broken = mine('if (columns.right_word === "calf") return NaN; return 1;');
  const whole = mine('return 1;');
  for (const one of [broken, whole]) allowCode(one.type === 'javascript' ? one.code! : '');
  const { result, stint, running } = await ask([broken]);
  expect(result).toMatchObject({
    code: 'bad_reward',
    message: 'mine gave no reward for answer 2: it returned NaN.',
  });
  stint.emit(metrics(3, 1));
  await stint.checkpoint(3);
  // As the engine does with what the page has answered.
  stint.fail(result as never);
  const record = await running;
  expect(record).toMatchObject({ status: 'interrupted', error: { code: 'bad_reward' } });

  const { objective } = learning([whole]) as { objective: { rewards?: never } };
  const again = open.session.resumeRun(record.id, 'refuse', objective.rewards);
  const next = await until(() => open.engine.stints[1]);
  expect(next.job).toMatchObject({ resume: true, recipe: { objective: { rewards: [whole] } } });
  next.emit({ type: 'score', id: 0, answers: answersTo(next.job.train.slice(0, 2) as PromptExample[]) });
  expect(await until(() => open.engine.scored[1])).toMatchObject({ values: [[1, 1]] });
  next.end();
  const ended: RunRecord = await again;
  expect(ended.changes).toEqual([{ step: 3, what: ['rewards'] }]);
  expect((await getRun(record.id))!.recipe.objective).toMatchObject({ rewards: [whole] });
});
