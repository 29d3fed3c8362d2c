/**
 * Which of the loaded adapters is on the model: what the second column shows by default, and what is exported. What is asked
 * of several at once is in comparing.ts, which is loaded with its page.
 */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { MethodSection } from '../methods';
import type { MethodType, ObjectiveType } from '../recipe/types';
import type { LoadedAdapter } from '../session/api';
import type { RunRecord } from '../storage/types';
import { toErrorData } from './errors';
import { useRuns } from './runs';
import { getSession } from './session';

interface AnyAdapter {
  name: string;
  trainableParameters: number;
  method: MethodType;
  objective: ObjectiveType;
  /** All of the method's fields. */
  settings: MethodSection;
}
export type OpenAdapter = AnyAdapter & ({ kind: 'run'; run: RunRecord } | { kind: 'import' });

interface CompareState {
  /** The active one. */
  adapter: OpenAdapter | null;
  /** All that are loaded, the active one too. */
  adapters: LoadedAdapter[];
  opening: boolean;
  adapterError: ErrorData | null;
  /** The model is answering or being measured. */
  generating: boolean;
  openRun: (run: RunRecord) => Promise<void>;
  importAdapter: (files: { path: string; file: File }[]) => Promise<boolean>;
  /** Null: the base alone. */
  activate: (id: string | null) => Promise<void>;
  removeAdapter: (id: string) => Promise<void>;
  /** A new model has no adapter yet. */
  forgetAdapter: () => void;
}

const fromRun = (run: RunRecord): OpenAdapter => ({
  kind: 'run',
  run,
  name: run.name,
  trainableParameters: run.trainableParameters,
  method: run.recipe.method.type,
  objective: run.recipe.objective.type,
  settings: run.recipe.method,
});

function fromLoaded({ name, trainableParameters, method, objective, settings, runId }: LoadedAdapter): OpenAdapter {
  const run = useRuns.getState().runs.find(({ id }) => id === runId);
  return run ? fromRun(run) : { kind: 'import', name, trainableParameters, method, objective, settings };
}

const loaded = () =>
  getSession()
    .listAdapters()
    .catch((): LoadedAdapter[] => []);

let working = 0;
/** Says for as long as `work` lasts that the model is busy. */
export async function whileWorking(work: () => Promise<void>): Promise<void> {
  useCompare.setState({ generating: ++working > 0 });
  try {
    await work();
  } finally {
    useCompare.setState({ generating: --working > 0 });
  }
}

export const useCompare = create<CompareState>()((set, get) => ({
  adapter: null,
  adapters: [],
  opening: false,
  adapterError: null,
  generating: false,

  async openRun(run) {
    set({ opening: true, adapterError: null });
    try {
      const record = await getSession().openRun(run.id);
      set({ adapter: fromRun(record), adapters: await loaded() });
    } catch (cause) {
      set({ adapterError: toErrorData(cause, `What “${run.name}” learned could not be loaded.`) });
    } finally {
      set({ opening: false });
    }
  },

  async importAdapter(files) {
    set({ opening: true, adapterError: null });
    try {
      const { name, trainableParameters } = await getSession().importAdapter(files);
      const adapters = await loaded();
      const active = adapters.find((one) => one.active);
      set({ adapter: active ? { ...fromLoaded(active), name, trainableParameters } : null, adapters });
      return true;
    } catch (cause) {
      set({ adapterError: toErrorData(cause, 'This adapter could not be opened.') });
      return false;
    } finally {
      set({ opening: false });
    }
  },

  async activate(id) {
    set({ opening: true, adapterError: null });
    try {
      await getSession().activateAdapter(id);
      const adapters = await loaded();
      const active = adapters.find((one) => one.active);
      set({
        adapter: active ? fromLoaded(active) : null,
        adapters,
      });
    } catch (cause) {
      set({ adapterError: toErrorData(cause, 'This adapter could not be put on the model.') });
    } finally {
      set({ opening: false });
    }
  },

  async removeAdapter(id) {
    set({ adapterError: null });
    try {
      await getSession().removeAdapter(id);
      const adapters = await loaded();
      const wasActive = get().adapters.some((one) => one.id === id && one.active);
      set({ adapters, ...(wasActive ? { adapter: null } : {}) });
    } catch (cause) {
      set({ adapterError: toErrorData(cause, 'This adapter could not be removed.') });
    }
  },

  forgetAdapter: () => set({ adapter: null, adapters: [] }),
}));
