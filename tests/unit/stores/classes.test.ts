import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { TextClass } from '../../../src/stores/classes';
import { fakeSession } from './fake-session';

/** The stored dataset of the classes; null while there is none. */
const disk = vi.hoisted(() => ({ lines: null as string | null }));
vi.mock('../../../src/storage/files', () => ({
  openFile: async () =>
    disk.lines === null ? null : { read: async () => new TextEncoder().encode(disk.lines!).buffer as ArrayBuffer },
}));

const { connectSession } = await import('../../../src/stores/session');
const { useData } = await import('../../../src/stores/data');
const { useRecipe } = await import('../../../src/stores/recipe');
const { asJsonLines, CLASSES_SOURCE, classesOf, lacking, settingsFor, sharedTexts, textsOf, useClasses } = await import(
  '../../../src/stores/classes'
);

const mails = [
  { name: 'Refund', texts: ['I want my money back', 'Please refund me'] },
  { name: 'Delivery', texts: ['Where is my parcel?'] },
];
const state = () => useClasses.getState();

beforeEach(() => {
  disk.lines = null;
  connectSession(
    fakeSession({
      importDataset: async (file) => {
        disk.lines = await file.text();
        return `file:${file.name}`;
      },
    }),
  );
  useRecipe.getState().replace({ version: 1 });
  useClasses.setState({ classes: structuredClone(mails), status: 'ready', removed: null, error: null });
});

test('each line that is typed or pasted is an example', () => {
  expect(textsOf('  one \r\n\n two\n')).toEqual(['one', 'two']);
});

test('a class takes an example once, and says what stands in two classes', () => {
  state().addTexts(1, ['Where is my parcel?', 'It has not come', 'Please refund me']);
  expect(state().classes[1]!.texts).toEqual(['Where is my parcel?', 'It has not come', 'Please refund me']);
  expect(sharedTexts(state().classes)).toEqual(['Please refund me']);
});

test('classes come back from the dataset as they were, those without examples too', () => {
  const classes = [...mails, { name: 'Other “quotes”\n', texts: [] }];
  const names = classes.map(({ name }) => name);
  expect(classesOf(asJsonLines(classes), names)).toEqual(classes);
});

test('rows that were edited elsewhere bring their classes with them', () => {
  expect(classesOf('{"text":"a","label":"New"}\n{"text":5,"label":"x"}\n', ['Refund'])).toEqual([
    { name: 'Refund', texts: [] },
    { name: 'New', texts: ['a'] },
  ]);
});

test.each([
  ['classes', [mails[0]!]],
  ['name', [{ name: ' ', texts: ['a'] }, mails[0]!]],
  ['same_name', [{ name: 'Refund ', texts: ['a'] }, mails[0]!]],
  ['texts', [{ name: 'Empty', texts: [] }, mails[0]!]],
  [null, mails],
] as [string | null, TextClass[]][])('what is lacking: %s', (wanted, classes) => {
  expect(lacking(classes)).toBe(wanted);
});

test('few examples are seen often enough to be learned, and a tenth of many is held out', () => {
  // Steps = epochs × batches of 8.
  expect(settingsFor(4)).toMatchObject({ 'training.num_train_epochs': 60, 'dataset.validation_split': 0 });
  expect(settingsFor(100)).toMatchObject({ 'training.num_train_epochs': 5, 'dataset.validation_split': 0.1 });
  expect(settingsFor(10_000)).toMatchObject({ 'training.num_train_epochs': 3 });
});

describe('what is kept', () => {
  test('a change is in the dataset, the last of several quick ones at any rate', async () => {
    state().addTexts(0, ['a']);
    state().addTexts(0, ['b']);
    state().rename(0, 'Money');
    await state().choose();
    expect(disk.lines).toBe(asJsonLines(state().classes));
    expect(disk.lines).toContain('"label":"Money"');
  });

  test('a class that was removed comes back with its examples', () => {
    state().removeClass(0);
    expect(state().classes).toHaveLength(1);
    state().undo();
    expect(state().classes).toEqual(mails);
  });

  test('classes that cannot be saved are said, and nothing is chosen', async () => {
    connectSession(
      fakeSession({
        importDataset: async () => {
          throw new Error('disk full');
        },
      }),
    );
    expect(await state().choose()).toBe(false);
    expect(state().error?.message).toBe('The examples could not be saved.');
    expect(useRecipe.getState().recipe.dataset.source).not.toBe(CLASSES_SOURCE);
  });
});

test('choosing them sets a classification that can run, and reads them again under the same name', async () => {
  const open = vi.fn(async () => {});
  useData.setState({ open });
  await state().choose();
  const { recipe, problems } = useRecipe.getState();
  expect(problems).toEqual([]);
  expect(recipe.dataset).toMatchObject({ source: CLASSES_SOURCE, format: 'labelled', validation_split: 0 });
  expect(recipe.objective.type).toBe('sequence_classification');
  expect(open).not.toHaveBeenCalled();
  await state().choose();
  expect(open).toHaveBeenCalledTimes(1);
});
