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
  useClasses.setState({ classes: structuredClone(mails), status: 'ready', removed: null, error: null, unsaved: false });
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

  describe('by a page that closes before a change is in the dataset', () => {
    /** What a browser keeps of the store beside the dataset. */
    const kept = () => useClasses.persist.getOptions().partialize!(state()) as Partial<ReturnType<typeof state>>;
    /** The next page, which begins with that. */
    async function nextPage(beside: ReturnType<typeof kept>) {
      useClasses.setState({ removed: null, error: null, ...beside, status: 'idle' });
      await state().load();
    }
    function removeAndUndo() {
      state().removeClass(0);
      state().undo();
    }
    const named = (text: string) => ({ name: 'Refund', texts: [text] });

    test.each<[string, () => void, TextClass[]]>([
      [
        'examples',
        () => state().addTexts(1, ['new']),
        [mails[0]!, { ...mails[1]!, texts: [...mails[1]!.texts, 'new'] }],
      ],
      ['a name', () => state().rename(0, 'Money'), [{ ...mails[0]!, name: 'Money' }, mails[1]!]],
      ['a removal', () => state().removeClass(0), [mails[1]!]],
      ['what was undone', removeAndUndo, mails],
    ])('%s', async (_, act, expected) => {
      disk.lines = asJsonLines(mails);
      act();
      const beside = kept();
      // What this page goes on to write is not what the next one finds.
      await vi.waitFor(() => expect(state().unsaved).toBe(false));
      disk.lines = asJsonLines(mails);
      await nextPage(beside);
      expect(state().classes).toEqual(expected);
      expect(disk.lines).toBe(asJsonLines(expected));
    });

    test('that none are left', async () => {
      disk.lines = asJsonLines([named('one')]);
      useClasses.setState({ classes: [named('one')] });
      state().removeText(0, 0);
      await nextPage(kept());
      expect(state().classes).toEqual([{ name: 'Refund', texts: [] }]);
    });

    test('what the dataset has is not kept twice, nor what is too large for the place beside it', async () => {
      state().addTexts(0, ['new']);
      await vi.waitFor(() => expect(state().unsaved).toBe(false));
      const names = mails.map(({ name }) => ({ name, texts: [] }));
      expect(kept()).toEqual({ classes: names, unsaved: false });
      state().addTexts(0, ['x'.repeat(1_000_000)]);
      expect(kept()).toEqual({ classes: names, unsaved: false });
    });
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
