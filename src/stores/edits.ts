/**
 * Changes of the open dataset that can be undone: of its file, and of the recipe's fields that a press sets. The steps of one
 * visit; a file can also be set back to what was added.
 */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import { renumbered } from '../base/row-ranges';
import type { DatasetEdit } from '../data/edits';
import type { ParsedDataset } from '../data/types';
import type { RecipePath } from '../recipe/fields';
import { useData } from './data';
import { toErrorData } from './errors';
import { useLibrary } from './library';
import { useRecipe } from './recipe';
import { getSession } from './session';

type Changes = Partial<Record<RecipePath, unknown>>;

interface Step {
  /** What was done, as on the button that did it. */
  label: string;
  /** The file was changed, which the session takes back. */
  file: boolean;
  /** What was changed in the recipe, if anything. */
  set: { before: Changes; after: Changes } | null;
}

interface EditsState {
  past: Step[];
  future: Step[];
  /** A change is being saved. */
  busy: boolean;
  error: ErrorData | null;
  /** Resolves to whether it was done. */
  edit: (edit: DatasetEdit, label: string) => Promise<boolean>;
  set: (changes: Changes, label: string) => void;
  undo: () => Promise<boolean>;
  redo: () => Promise<boolean>;
  reset: (label: string) => Promise<boolean>;
  dismiss: () => void;
}

/** The values that are written in the recipe now. */
function writtenNow(changes: Changes): Changes {
  const input = useRecipe.getState().input as unknown as Record<string, Record<string, unknown> | undefined>;
  const now = Object.keys(changes).map((path) => {
    const [section, key] = path.split('.') as [string, string | undefined];
    return [path, key === undefined ? input[section] : input[section]?.[key]];
  });
  return Object.fromEntries(now) as Changes;
}

/** Rows that the recipe leaves out by their numbers have others once rows before them are gone. */
function renumber(gone: readonly number[]): Changes {
  const { leave_out_rows } = useRecipe.getState().recipe.dataset;
  return leave_out_rows === null ? {} : { 'dataset.leave_out_rows': renumbered(leave_out_rows, gone) ?? undefined };
}

export const useEdits = create<EditsState>()((set, get) => {
  /** Changes the file, one change at a time, and shows what it is then. */
  async function save(work: (source: string) => Promise<ParsedDataset>): Promise<boolean> {
    const { source } = useData.getState();
    if (source === null || get().busy) return false;
    set({ busy: true, error: null });
    try {
      const dataset = await work(source);
      if (useData.getState().source === source) useData.getState().changed(dataset);
      void useLibrary.getState().refresh();
      return true;
    } catch (cause) {
      set({ error: toErrorData(cause, 'The change could not be saved.') });
      return false;
    } finally {
      set({ busy: false });
    }
  }

  const did = (step: Step) => set(({ past }) => ({ past: [...past, step], future: [] }));

  /** Moves the last step of one list to the other once it has been taken back. */
  async function back(from: 'past' | 'future', to: 'past' | 'future'): Promise<boolean> {
    const step = get()[from].at(-1);
    if (!step || get().busy) return false;
    if (step.file) {
      const session = getSession();
      const done = await save((source) => (from === 'past' ? session.undoEdit(source) : session.redoEdit(source)));
      if (!done) return false;
    }
    if (step.set) useRecipe.getState().set(from === 'past' ? step.set.before : step.set.after);
    set((state) => ({ [from]: state[from].slice(0, -1), [to]: [...state[to], step] }) as Partial<EditsState>);
    return true;
  }

  return {
    past: [],
    future: [],
    busy: false,
    error: null,

    async edit(edit, label) {
      const done = await save((source) => getSession().editDataset(source, edit));
      if (!done) return false;
      const after = edit.kind === 'remove' ? renumber(edit.rows) : {};
      const before = writtenNow(after);
      if (Object.keys(after).length > 0) useRecipe.getState().set(after);
      did({ label, file: true, set: { before, after } });
      return true;
    },

    set(changes, label) {
      const before = writtenNow(changes);
      useRecipe.getState().set(changes);
      did({ label, file: false, set: { before, after: changes } });
    },

    undo: () => back('past', 'future'),
    redo: () => back('future', 'past'),

    async reset(label) {
      const done = await save((source) => getSession().resetDataset(source));
      if (done) did({ label, file: true, set: null });
      return done;
    },

    dismiss: () => set({ error: null }),
  };
});

// What was done to one dataset cannot be taken back in another.
useData.subscribe((state, before) => {
  if (state.source !== before.source) useEdits.setState({ past: [], future: [], error: null });
});
