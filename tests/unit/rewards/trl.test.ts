/** The rewards that TRL has too give what it gives (tests/oracle/make_reward_fixtures.py). */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scoreOf } from './score';

const fixture = JSON.parse(readFileSync('tests/fixtures/rewards/trl.json', 'utf8')) as {
  think_format: { completions: string[]; values: number[] };
  repetition_penalty: {
    completion_ids: number[][];
    rewards: { ngram_size: number; max_penalty: number; values: number[] }[];
  };
};

test('think_format', async () => {
  const { completions, values } = fixture.think_format;
  const ours = await Promise.all(completions.map((text) => scoreOf({ type: 'think_format' }, text)));
  expect(ours).toEqual(values);
  expect(new Set(values)).toEqual(new Set([0, 1]));
});

test('think_format with a tag for the answer, as DeepSeek-R1 writes it', async () => {
  const reward = { type: 'think_format', answer_tag: 'answer' } as const;
  expect(await scoreOf(reward, '<think>a</think>\n<answer>4</answer>\n')).toBe(1);
  expect(await scoreOf(reward, '<think>a</think>4')).toBe(0);
  expect(await scoreOf(reward, '<think>a</think><answer>4</answer> or so')).toBe(0);
  expect(await scoreOf(reward, '<think>a</think><answer>4</answer><answer>5</answer>')).toBe(0);
  expect(await scoreOf(reward, '<answer>4</answer>')).toBe(0);
});

test.each(fixture.repetition_penalty.rewards)('repetition_penalty $ngram_size $max_penalty', async (reward) => {
  const { values, ...fields } = reward;
  for (const [i, tokens] of fixture.repetition_penalty.completion_ids.entries()) {
    const ours = await scoreOf({ type: 'repetition_penalty', ...fields }, { tokens });
    expect(ours).toBeCloseTo(values[i]!, 12);
  }
});
