/** Votes as datasets: the columns of TRL's preference and unpaired datasets (its docs, “Dataset formats and types”). */
import { expect, test } from 'vitest';
import type { Vote } from '../../../src/session/comparison-types';
import { judgedLines, pairLines } from '../../../src/session/votes';

const one = (text: string, model: 'base' | 'run:1' = 'base') => ({
  ...{ model, name: model === 'base' ? 'Base' : 'Tuned', temperature: 0.8, seed: 3, text },
});
const vote = (verdict: Vote['verdict'], system?: string): Vote => ({
  prompt: { text: 'Hi?', ...(system ? { system } : {}) },
  ...{ a: one('first'), b: one('second', 'run:1'), verdict, at: 0 },
});
const parsed = (lines: string) =>
  lines
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

test('a decided vote is a pair; ties are none', () => {
  const [row, ...others] = parsed(pairLines([vote('b', 'Be brief.'), vote('both_good'), vote('both_bad')], 'messages'));
  expect(others).toEqual([]);
  expect(row).toEqual({
    prompt: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi?' },
    ],
    chosen: [{ role: 'assistant', content: 'second' }],
    rejected: [{ role: 'assistant', content: 'first' }],
    chosen_from: 'Tuned, temperature 0.8, seed 3',
    rejected_from: 'Base, temperature 0.8, seed 3',
    voted_at: '1970-01-01T00:00:00.000Z',
  });
  expect(parsed(pairLines([vote('a', 'Be brief.')], 'text'))[0].prompt).toBe('Be brief.\n\nHi?');
  expect(parsed(pairLines([vote('a')], 'text'))[0]).toMatchObject({
    prompt: 'Hi?',
    chosen: 'first',
    rejected: 'second',
  });
});

test('every vote marks two answers', () => {
  const marks = (verdict: Vote['verdict']) => parsed(judgedLines([vote(verdict)], 'text')).map(({ label }) => label);
  expect(marks('a')).toEqual([true, false]);
  expect(marks('b')).toEqual([false, true]);
  expect(marks('both_good')).toEqual([true, true]);
  expect(marks('both_bad')).toEqual([false, false]);
  expect(parsed(judgedLines([vote('both_bad')], 'messages'))[1]).toMatchObject({
    prompt: [{ role: 'user', content: 'Hi?' }],
    completion: [{ role: 'assistant', content: 'second' }],
    vote: 'both_bad',
  });
});
