import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ParsedDataset } from '../../../src/data/types';
import { fakeSession, model } from './fake-session';
import { resetOf } from './reset-stores';

const { connectSession } = await import('../../../src/stores/session');
const { startPipeline } = await import('../../../src/stores/pipeline');
const { useRecipe } = await import('../../../src/stores/recipe');
const { useModel } = await import('../../../src/stores/model');
const { useData } = await import('../../../src/stores/data');
const { usePlan } = await import('../../../src/stores/plan');
const { changesForData, objectiveForData } = await import('../../../src/stores/goal');
const { checkRecipe } = await import('../../../src/recipe/defaults');

const resets = [resetOf(useModel), resetOf(useData), resetOf(usePlan)];
let stop = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  useRecipe.getState().replace({ version: 1 });
  useRecipe.getState().reset();
  for (const reset of resets) reset();
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

/** Files by the end of their names: `.labels` holds labelled texts. */
async function started(kind: 'decoder' | 'encoder' = 'decoder') {
  const plain = fakeSession();
  const session = fakeSession({
    openModel: async (source) => ({ ...model, source, kind }),
    openDataset: async (section) => ({
      ...(await plain.openDataset(section)),
      format: (/\.(\w+)$/.exec(section.source)?.[1] ?? 'messages') as ParsedDataset['format'],
    }),
  });
  connectSession(session);
  stop = startPipeline();
  await vi.runAllTimersAsync();
  return session;
}
const open = async (source: string) => {
  useRecipe.getState().set({ 'dataset.source': source });
  await vi.runAllTimersAsync();
};
const goal = () => useRecipe.getState().recipe.objective.type;

test('the goal is what the opened data are made for', async () => {
  const { tokenize } = await started();
  await open('file:a.labelled');
  expect(goal()).toBe('sequence_classification');
  // Nothing is tokenised for the goal before it.
  expect(vi.mocked(tokenize).mock.calls.at(-1)![0].objective.type).toBe('sequence_classification');
  await open('file:b.tagged');
  expect(goal()).toBe('token_classification');
  await open('file:c.text');
  expect(goal()).toBe('pretraining');
  // Texts of any length share rows, so that none is cut.
  expect(useRecipe.getState().recipe.dataset).toMatchObject({ packing: true, max_length: 'auto' });
  await open('file:d.messages');
  expect(goal()).toBe('sft');
  expect(useRecipe.getState().recipe.dataset.packing).toBe(false);
});

test('a goal that a person has chosen for these data stays, and the next data decide anew', async () => {
  await started();
  await open('file:a.labelled');
  useRecipe.getState().set({ 'objective.type': undefined });
  await vi.runAllTimersAsync();
  expect(goal()).toBe('sft');
  useRecipe.getState().set({ 'training.num_train_epochs': 5 });
  await vi.runAllTimersAsync();
  expect(goal()).toBe('sft');
  await open('file:b.labelled');
  expect(goal()).toBe('sequence_classification');
  // A recipe that is opened says its goal.
  useRecipe.getState().replace({ version: 1, dataset: { source: 'file:c.labelled' } });
  await vi.runAllTimersAsync();
  expect(goal()).toBe('sft');
  useRecipe.getState().reset();
  await vi.runAllTimersAsync();
  expect(goal()).toBe('sequence_classification');
});

test('an encoder reads plain text in its own way, and keeps its goal where it cannot learn that of the data', async () => {
  expect(objectiveForData('text', 'encoder')).toBe('masked_lm');
  const recipe = checkRecipe({ version: 1, objective: { type: 'sequence_classification' } }).recipe!;
  expect(changesForData(recipe, 'messages', { title: 'BERT', kind: 'encoder' })).toBeNull();
});

test('settings that only the former goal can have give way', () => {
  const packed = checkRecipe({ version: 1, dataset: { source: 'file:a.csv', packing: true } }).recipe!;
  expect(changesForData(packed, 'labelled', { title: 'Llama', kind: 'decoder' })).toEqual({
    'objective.type': 'sequence_classification',
    'dataset.packing': undefined,
  });
});

test('answers to compare, judged answers and prompts alone lead to the goals that are made for them', () => {
  const goals = (['preference', 'unpaired_preference', 'prompt_only'] as const).map((format) => [
    objectiveForData(format, 'decoder'),
    changesForData(checkRecipe({ version: 1 }).recipe!, format, { title: 'Llama', kind: 'decoder' }),
  ]);
  expect(goals.map(([type]) => type)).toEqual(['dpo', 'kto', 'rejection_sampling']);
  expect(
    goals.map(([type, changes]) => (changes as Record<string, unknown> | null)?.['objective.type'] === type),
  ).toEqual([true, true, true]);
});
