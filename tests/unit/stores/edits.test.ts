/** Changes of the open dataset, and their way back. */
import { beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { fakeSession, parsedFake } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { useData } = await import('../../../src/stores/data');
const { useEdits } = await import('../../../src/stores/edits');
const { useRecipe } = await import('../../../src/stores/recipe');

let session = fakeSession();
const labels = () =>
  [useEdits.getState().past, useEdits.getState().future].map((list) => list.map(({ label }) => label));

beforeEach(() => {
  session = fakeSession({
    editDataset: vi.fn(async () => parsedFake('edited')),
    undoEdit: vi.fn(async () => parsedFake('undone')),
    redoEdit: vi.fn(async () => parsedFake('redone')),
    resetDataset: vi.fn(async () => parsedFake('reset')),
  });
  connectSession(session);
  useRecipe.getState().replace({ version: 1 });
  useData.setState({ source: null });
  useData.setState({ source: 'file:a.csv', status: 'ready', dataset: parsedFake('a.csv') });
});

test('an edit is saved, undone, done again, and a new one takes the place of what was undone', async () => {
  const { edit, undo, redo } = useEdits.getState();
  expect(await edit({ kind: 'remove', rows: [1] }, 'Remove')).toBe(true);
  expect(useData.getState().dataset?.name).toBe('edited');
  expect(await edit({ kind: 'trim' }, 'Trim')).toBe(true);
  expect(labels()).toEqual([['Remove', 'Trim'], []]);
  expect(await undo()).toBe(true);
  expect(useData.getState().dataset?.name).toBe('undone');
  expect(labels()).toEqual([['Remove'], ['Trim']]);
  expect(await redo()).toBe(true);
  expect(labels()).toEqual([['Remove', 'Trim'], []]);
  await undo();
  await edit({ kind: 'entities' }, 'Entities');
  expect(labels()).toEqual([['Remove', 'Entities'], []]);
  expect(await redo()).toBe(false);
});

test('fields that a press set go back to what was written', async () => {
  useRecipe.getState().set({ 'dataset.max_length': 64 });
  const { set, undo, redo } = useEdits.getState();
  set({ 'dataset.max_length': undefined, 'dataset.merge_labels': true }, 'Whole');
  expect(useRecipe.getState().input.dataset).toEqual({ merge_labels: true });
  await undo();
  expect(useRecipe.getState().input.dataset).toEqual({ max_length: 64 });
  await redo();
  expect(useRecipe.getState().input.dataset).toEqual({ merge_labels: true });
  expect(session.undoEdit).not.toHaveBeenCalled();
});

test('what cannot be saved is said, and nothing else happens', async () => {
  session.editDataset = vi.fn(async () => {
    throw new TabtuneError({ code: 'bad_data', message: 'This change would make the row unusable.' });
  });
  expect(await useEdits.getState().edit({ kind: 'trim' }, 'Trim')).toBe(false);
  expect(useEdits.getState()).toMatchObject({ past: [], busy: false, error: { code: 'bad_data' } });
  expect(useData.getState().dataset?.name).toBe('a.csv');
});

test('another dataset begins without steps', async () => {
  await useEdits.getState().edit({ kind: 'trim' }, 'Trim');
  useData.setState({ source: 'file:b.csv' });
  expect(labels()).toEqual([[], []]);
});

test('rows that the recipe leaves out by number are followed when rows before them go', async () => {
  useRecipe.getState().set({ 'dataset.leave_out_rows': '4-5' });
  await useEdits.getState().edit({ kind: 'remove', rows: [1, 4] }, 'Remove');
  expect(useRecipe.getState().input.dataset).toEqual({ leave_out_rows: '3' });
  await useEdits.getState().undo();
  expect(useRecipe.getState().input.dataset).toEqual({ leave_out_rows: '4-5' });
});
