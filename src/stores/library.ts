/**
 * The person's own datasets: those on the shelf, and the file that is being opened. What is chosen stays chosen until another
 * file has been read and can be used; one that cannot be used is refused, and one that needs an answer asks for it.
 */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { ReadingProgress } from '../data/reading-progress';
import { field, type RecipePath } from '../recipe/fields';
import { fieldsAboutTheFile, type ReadingSection, readAsDetected } from '../recipe/sections';
import type { DatasetSection } from '../recipe/types';
import type { OwnDataset } from '../session/own-datasets-types';
import { useData } from './data';
import { isCancelled, toErrorData } from './errors';
import { useRecipe } from './recipe';
import { getSession } from './session';

/** Recipe path -> value, of the fields that say how a file is read. */
type Answers = Partial<Record<RecipePath, unknown>>;

interface LibraryState {
  /** Newest first. */
  own: OwnDataset[];
  /** The file that is being opened, and how far it is. */
  reading: { name: string; progress: ReadingProgress | null } | null;
  /** Why the last file was refused. */
  refused: ErrorData | null;
  /** A file that is chosen once its question has been answered. */
  question: { file: File; error: ErrorData; answers: Answers } | null;
  refresh: () => Promise<void>;
  /** Resolves to whether the file is now the chosen dataset. */
  add: (file: File, answers?: Answers) => Promise<boolean>;
  answer: (answers: Answers) => Promise<boolean>;
  /** Opens a file of the shelf as it was last read. */
  choose: (dataset: OwnDataset) => Promise<boolean>;
  remove: (dataset: OwnDataset) => Promise<void>;
  cancel: () => void;
  dismiss: () => void;
}

let controller: AbortController | null = null;

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const defaultOf = (name: string) => field(`dataset.${name}` as RecipePath).default;

/** The recipe's section in which only these answers differ from the defaults. */
function sectionOf(answers: Answers): ReadingSection {
  const fields = fieldsAboutTheFile.map((name) => [name, answers[`dataset.${name}` as RecipePath] ?? defaultOf(name)]);
  return Object.fromEntries(fields) as ReadingSection;
}

/** What a file was read with the last time, as changes of the recipe. */
function answersOf({ reading }: OwnDataset): Answers {
  // What it was mixed with last is no part of the file, and may be gone.
  const own = fieldsAboutTheFile.filter((name) => name !== 'mix');
  const kept = own.filter((name) => name in reading && !same(reading[name], defaultOf(name)));
  return Object.fromEntries(kept.map((name) => [`dataset.${name}`, reading[name]]));
}

export const useLibrary = create<LibraryState>()((set, get) => {
  /** Reads a file, the newest one only, and then chooses what `work` gives. */
  async function open(
    name: string,
    answers: Answers,
    work: (how: { onProgress: (progress: ReadingProgress) => void; signal: AbortSignal }) => Promise<string>,
    fail: (error: ErrorData) => void,
  ): Promise<boolean> {
    controller?.abort();
    const mine = new AbortController();
    controller = mine;
    set({ reading: { name, progress: null }, refused: null, question: null });
    const onProgress = (progress: ReadingProgress) => {
      if (controller === mine) set({ reading: { name, progress } });
    };
    try {
      const source = await work({ onProgress, signal: mine.signal });
      if (controller !== mine) return false;
      const before = useRecipe.getState().recipe.dataset.source;
      useData.setState({ importError: null });
      useRecipe.getState().set({ 'dataset.source': source, ...readAsDetected, ...answers, name: undefined });
      // The same source changes no field of the recipe, and a failure of before would stay.
      if (source === before && useData.getState().status === 'failed') {
        void useData.getState().open(useRecipe.getState().recipe.dataset);
      }
      return true;
    } catch (cause) {
      if (controller === mine && !isCancelled(cause)) fail(toErrorData(cause, `${name} could not be read.`));
      return false;
    } finally {
      if (controller === mine) {
        controller = null;
        set({ reading: null });
      }
      void get().refresh();
    }
  }

  return {
    own: [],
    reading: null,
    refused: null,
    question: null,

    async refresh() {
      try {
        const own = await getSession().ownDatasets();
        set({ own: own.sort((a, b) => b.addedAt - a.addedAt) });
      } catch {
        // The shelf is then what is known of it; opening a file says what is wrong with the storage.
      }
    },

    add: (file, answers = {}) =>
      open(
        file.name,
        answers,
        async (how) => (await getSession().addDataset(file, sectionOf(answers), how)).source,
        (error) => set(asks(error) ? { question: { file, error, answers } } : { refused: error }),
      ),

    async answer(answers) {
      const { question } = get();
      return question ? get().add(question.file, { ...question.answers, ...answers }) : false;
    },

    choose(dataset) {
      const answers = answersOf(dataset);
      const section = { ...useRecipe.getState().recipe.dataset, ...sectionOf(answers), source: dataset.source };
      return open(
        dataset.name,
        answers,
        async (how) => {
          await getSession().openDataset(section as DatasetSection, how);
          return dataset.source;
        },
        (error) => set({ refused: error }),
      );
    },

    async remove(dataset) {
      try {
        await getSession().deleteStored(`dataset/${dataset.name}`);
        if (useRecipe.getState().recipe.dataset.source === dataset.source) {
          useRecipe.getState().set({ ...readAsDetected, 'dataset.source': undefined, name: undefined });
        }
      } catch (cause) {
        set({ refused: toErrorData(cause, `${dataset.name} could not be deleted.`) });
      }
      await get().refresh();
    },

    cancel() {
      controller?.abort();
      controller = null;
      set({ reading: null });
    },

    dismiss: () => set({ refused: null, question: null }),
  };
});

/** Columns that an error names: for a file that could not be read, nothing else lists them. */
export function namedColumns(error: ErrorData): string[] {
  if (error.code !== 'bad_data' || !error.message.includes('column')) return [];
  return [...new Set([...error.message.matchAll(/“([^”]+)”/g)].map((match) => match[1]!))];
}

/** Whether a person can settle it, by a choice or by saying which column is which. */
const asks = (error: ErrorData) => (error.choices?.length ?? 0) > 0 || namedColumns(error).length > 0;
