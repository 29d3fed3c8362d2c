/**
 * Classes that are typed by hand, each with its examples. They are kept as a dataset of the person's own, so that everything
 * that works with a dropped file works with them; what a dataset cannot hold (classes without examples yet) is kept beside it.
 */
import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import type { ErrorData } from '../base/errors';
import { parseUntrusted } from '../base/json';
import type { RecipePath } from '../recipe/fields';
import { readAsDetected } from '../recipe/sections';
import { openFile } from '../storage/files';
import { useData } from './data';
import { toErrorData } from './errors';
import { objectiveForData } from './goal';
import { useModel } from './model';
import { useRecipe } from './recipe';
import { getSession } from './session';

export interface TextClass {
  name: string;
  texts: string[];
}

/** The dataset that the classes are kept in. */
export const CLASSES_FILE = 'My classes.jsonl';
export const CLASSES_SOURCE = `file:${CLASSES_FILE}`;

/** Optimiser steps that separate a handful of classes, and the examples in each. */
const STEPS = 60;
const BATCH = 8;
/** Characters that are kept beside the dataset: browsers give an origin about five million. */
const MOST_BESIDE = 1_000_000;
/** Fewer examples than this are all learned from. */
const HOLD_OUT_FROM = 20;

interface ClassesState {
  classes: TextClass[];
  status: 'idle' | 'loading' | 'ready';
  error: ErrorData | null;
  /** The classes before the last removal, until the next change. */
  removed: { what: string; classes: TextClass[] } | null;
  /** The dataset does not have the last change yet; a page that closes now finds it beside the dataset. */
  unsaved: boolean;
  load: () => Promise<void>;
  addClass: (name: string) => void;
  rename: (index: number, name: string) => void;
  removeClass: (index: number) => void;
  /** Adds texts, without those that the class has already. */
  addTexts: (index: number, texts: readonly string[]) => void;
  removeText: (index: number, text: number) => void;
  undo: () => void;
  /** Stores the classes as a dataset and chooses it, with settings that suit so few examples. */
  choose: () => Promise<boolean>;
}

/** The examples of a text that is typed or pasted: one per line. */
export const textsOf = (typed: string): string[] =>
  typed
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

export const countTexts = (classes: readonly TextClass[]): number =>
  classes.reduce((sum, { texts }) => sum + texts.length, 0);

/** Why the classes cannot be learned yet; null if they can. */
export function lacking(classes: readonly TextClass[]): 'name' | 'same_name' | 'classes' | 'texts' | null {
  const names = classes.map(({ name }) => name.trim());
  if (names.some((name) => name === '')) return 'name';
  if (new Set(names).size < names.length) return 'same_name';
  if (classes.length < 2) return 'classes';
  return classes.some(({ texts }) => texts.length === 0) ? 'texts' : null;
}

/** Texts that stand in more than one class. */
export function sharedTexts(classes: readonly TextClass[]): string[] {
  const seen = new Map<string, number>();
  for (const { texts } of classes) for (const text of new Set(texts)) seen.set(text, (seen.get(text) ?? 0) + 1);
  return [...seen].flatMap(([text, count]) => (count > 1 ? [text] : []));
}

export const asJsonLines = (classes: readonly TextClass[]): string =>
  classes.flatMap(({ name, texts }) => texts.map((text) => `${JSON.stringify({ text, label: name })}\n`)).join('');

/** The classes of a stored file, in the order of `names` and then of the file. */
export function classesOf(lines: string, names: readonly string[]): TextClass[] {
  const byName = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const line of lines.split('\n')) {
    if (line.trim() === '') continue;
    const { text, label } = parseUntrusted(line) as { text?: unknown; label?: unknown };
    if (typeof text !== 'string' || typeof label !== 'string') continue;
    const texts = byName.get(label) ?? [];
    texts.push(text);
    byName.set(label, texts);
  }
  return [...byName].map(([name, texts]) => ({ name, texts }));
}

/** How long to train on so many texts, and what to hold out of them. */
export function settingsFor(texts: number): Partial<Record<RecipePath, number>> {
  const perEpoch = Math.max(1, Math.ceil(texts / BATCH));
  return {
    'training.num_train_epochs': Math.min(60, Math.max(3, Math.ceil(STEPS / perEpoch))),
    'training.per_device_train_batch_size': BATCH,
    'training.gradient_accumulation_steps': 1,
    'dataset.validation_split': texts < HOLD_OUT_FROM ? 0 : 0.1,
  };
}

const replaced = (classes: readonly TextClass[], index: number, change: (one: TextClass) => TextClass): TextClass[] =>
  classes.map((one, i) => (i === index ? change(one) : one));

const firstClasses: TextClass[] = [
  { name: 'Class 1', texts: [] },
  { name: 'Class 2', texts: [] },
];

export const useClasses = create<ClassesState>()(
  persist(
    (set, get) => {
      let last: Promise<boolean> = Promise.resolve(true);
      let waiting: Promise<boolean> | null = null;

      async function write(): Promise<boolean> {
        waiting = null;
        const { classes } = get();
        // A file of no examples is not a dataset; that there are none is kept beside it.
        if (countTexts(classes) === 0) return true;
        try {
          await getSession().importDataset(new File([asJsonLines(classes)], CLASSES_FILE));
          set({ error: null, unsaved: get().classes !== classes });
          return true;
        } catch (cause) {
          set({ error: toErrorData(cause, 'The examples could not be saved.') });
          return false;
        }
      }

      /** One after the other, so that the last change is the one that stays; changes that wait for one are saved together. */
      function save(): Promise<boolean> {
        if (waiting) return waiting;
        last = last.then(write);
        waiting = last;
        return last;
      }

      function change(classes: TextClass[], removed: ClassesState['removed'] = null): void {
        set({ classes, removed, unsaved: true });
        void save();
      }

      return {
        classes: firstClasses,
        status: 'idle',
        error: null,
        removed: null,
        unsaved: false,

        async load() {
          if (get().status !== 'idle') return;
          if (get().unsaved) {
            set({ status: 'ready' });
            await save();
            return;
          }
          set({ status: 'loading' });
          const names = get().classes.map(({ name }) => name);
          try {
            const stored = await openFile(`dataset/${CLASSES_FILE}`);
            const lines = stored ? new TextDecoder().decode(await stored.read()) : '';
            set({ status: 'ready', classes: classesOf(lines, names) });
          } catch (cause) {
            set({ status: 'ready', error: toErrorData(cause, 'The stored examples could not be read.') });
          }
        },

        addClass: (name) => change([...get().classes, { name, texts: [] }]),
        rename: (index, name) => change(replaced(get().classes, index, (one) => ({ ...one, name }))),
        removeClass(index) {
          const { classes } = get();
          change(
            classes.filter((_, i) => i !== index),
            { what: classes[index]!.name, classes },
          );
        },
        addTexts(index, texts) {
          const { classes } = get();
          change(replaced(classes, index, (one) => ({ ...one, texts: [...new Set([...one.texts, ...texts])] })));
        },
        removeText(index, text) {
          const { classes } = get();
          change(
            replaced(classes, index, (one) => ({ ...one, texts: one.texts.filter((_, i) => i !== text) })),
            { what: classes[index]!.texts[text]!, classes },
          );
        },
        undo() {
          const { removed } = get();
          if (removed) change(removed.classes);
        },

        async choose() {
          if (!(await save())) return false;
          const { recipe, set: setRecipe } = useRecipe.getState();
          const kind = useModel.getState().info?.kind ?? 'decoder';
          setRecipe({
            ...readAsDetected,
            'dataset.source': CLASSES_SOURCE,
            'dataset.format': 'labelled',
            'objective.type': objectiveForData('labelled', kind) ?? undefined,
            name: undefined,
            ...settingsFor(countTexts(get().classes)),
          });
          // The same name with other examples: no field of the recipe has changed, so nobody else notices.
          if (recipe.dataset.source === CLASSES_SOURCE) {
            await useData.getState().open(useRecipe.getState().recipe.dataset);
          }
          return true;
        },
      };
    },
    {
      name: 'tabtune.classes',
      version: 1,
      // The examples are in the dataset, which takes a moment to be written: until then they are here, if they fit.
      partialize: ({ classes, unsaved }) =>
        unsaved && asJsonLines(classes).length <= MOST_BESIDE
          ? { classes, unsaved }
          : { classes: classes.map(({ name }) => ({ name, texts: [] })), unsaved: false },
    },
  ),
);
