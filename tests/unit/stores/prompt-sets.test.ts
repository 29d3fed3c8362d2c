import { beforeEach, expect, test, vi } from 'vitest';
import type { Comparison, PromptSet } from '../../../src/session/comparison-types';
import { fakeComparison, fakeSession, runRecord } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { useCompare } = await import('../../../src/stores/compare');
const { useRuns } = await import('../../../src/stores/runs');
const { useComparing } = await import('../../../src/stores/comparing');
const { answerText, HELD_OUT, promptsOf, scoresOf, usePromptSets } = await import('../../../src/stores/prompt-sets');

const initial = usePromptSets.getState();
const initialComparing = useComparing.getState();

/** Keeps sets as the browser does. */
function connect(parts: Partial<Comparison> = {}) {
  const kept = new Map<string, PromptSet>();
  const comparison = fakeComparison({
    promptSets: async () => [...kept.values()],
    savePromptSet: async (set) => {
      kept.set(set.name, set);
      return set.name;
    },
    deletePromptSet: async (name) => void kept.delete(name),
    ...parts,
  });
  connectSession(fakeSession({ comparison: async () => comparison }));
  return { comparison, kept };
}

beforeEach(async () => {
  useCompare.getState().forgetAdapter();
  useComparing.setState(initialComparing, true);
  usePromptSets.setState(initial, true);
  connect();
  await useCompare.getState().openRun(runRecord());
});

test('a set is saved, renamed, changed and deleted, and never takes the place of another', async () => {
  const { kept } = connect();
  const { save, remove } = usePromptSets.getState();
  await save('mine', [{ text: 'a' }]);
  await save('mine', [{ text: 'b' }]);
  expect([...kept.keys()]).toEqual(['mine', 'mine 2']);
  expect(usePromptSets.getState().chosen).toBe('mine 2');
  await save('mine 2', [{ text: 'c' }], 'mine 2');
  await save('other', [{ text: 'd' }], 'mine');
  expect([...kept.values()].map(({ name, prompts }) => [name, prompts[0]!.text])).toEqual([
    ['mine 2', 'c'],
    ['other', 'd'],
  ]);
  await remove('other');
  expect(usePromptSets.getState()).toMatchObject({ chosen: HELD_OUT, sets: [{ name: 'mine 2' }] });
});

test('a set that cannot be saved says why and stays where it is written', async () => {
  connect({
    savePromptSet: async () => {
      throw new Error('full');
    },
  });
  expect(await usePromptSets.getState().save('mine', [{ text: 'a' }])).toBe(false);
  expect(usePromptSets.getState().error).not.toBeNull();
});

test('the first set is what was held out', async () => {
  await useComparing.getState().loadSplit();
  expect(promptsOf(usePromptSets.getState()).map(({ text }) => text)).toEqual(['held out']);
});

test('a whole set is answered by every column, with how close it comes to the references', async () => {
  const answer: Comparison['answer'] = vi.fn(async (_columns, { text }) => ({
    answers: [{ text: 'no idea' }, { text: text === 'one' ? 'The yes!' : 'a blue sea' }],
    inTurn: false,
  }));
  connect({ answer });
  await usePromptSets
    .getState()
    .save('mine', [{ text: 'one', expected: 'yes' }, { text: 'two', expected: 'the blue ship' }, { text: 'three' }]);
  await usePromptSets.getState().run();
  const { rows, done, total, running } = usePromptSets.getState();
  expect([rows.length, done, total, running]).toEqual([3, 3, 3, false]);
  // Of "The yes!" and "yes": precision 1/2, recall 1; of "a blue sea" and "the blue ship": 1/3 and 1/3.
  expect(scoresOf(rows, 1)).toEqual({ count: 2, rougeL: (2 / 3 + 1 / 3) / 2, exactMatch: 0.5 });
  expect(scoresOf(rows, 0)).toEqual({ count: 2, rougeL: 0, exactMatch: 0 });
  expect(scoresOf(rows.slice(2), 0)).toBeNull();
});

test('a stop keeps the rows that were finished', async () => {
  let asked = 0;
  connect({
    answer: async (columns) => {
      if (++asked === 2) usePromptSets.getState().cancel();
      return { answers: columns.map(() => ({ text: 'x' })), inTurn: false };
    },
  });
  await usePromptSets.getState().save('mine', [{ text: 'one' }, { text: 'two' }, { text: 'three' }]);
  await usePromptSets.getState().run();
  expect(usePromptSets.getState()).toMatchObject({ done: 1, running: false, error: null });
  expect(useCompare.getState().generating).toBe(false);
});

test('a number is shown as it is, and is not compared with the answer that it judges', () => {
  const answer = { text: '', scores: [{ label: 'reward', probability: 1.36951 }] };
  expect(answerText(answer)).toBe('1.37');
  expect(answerText({ text: '', scores: [{ label: 'reward', probability: -0.0000123456 }] })).toBe('-0.00001235');
  expect(scoresOf([{ prompt: { text: 'a', expected: 'b' }, answers: [answer] }], 0)).toBeNull();
  expect(answerText({ text: '', scores: [{ label: 'B-PER', probability: 0.9, word: 'Ann' }] })).toBe('B-PER');
});

test('columns of reward models are asked for the score of an answer with its prompt', async () => {
  const classify = vi.fn(async () => ({ answers: [{ text: '' }, { text: '' }], inTurn: false }));
  connect({ classify });
  const record = runRecord();
  const recipe = { ...record.recipe, objective: { type: 'reward' as const, center_rewards_coefficient: 0 } };
  await useCompare.getState().openRun({ ...record, recipe });
  useRuns.setState({ runs: [{ ...record, recipe }] });
  useComparing.getState().write('Who are you?');
  useComparing.getState().writeAnswer('A cat.');
  await useComparing.getState().ask();
  expect(classify.mock.calls[0]!.slice(1, 2)).toEqual([{ prompt: 'Who are you?', answer: 'A cat.' }]);
  expect(useComparing.getState().asked).toEqual({ text: 'Who are you?', expected: 'A cat.', side: null });
});
