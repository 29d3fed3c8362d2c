/**
 * The two columns: one prompt, answered by the base and by the tuned model, or one text, sorted by both; and which of the
 * loaded adapters is on the model.
 */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import { defaultMethod } from '../methods';
import { defaultObjective, objectiveOf } from '../objectives';
import type { MethodType, ObjectiveType } from '../recipe/types';
import type { AdapterExport, LabelScore, LoadedAdapter } from '../session/api';
import type { RunRecord } from '../storage/types';
import { isCancelled, toErrorData } from './errors';
import { useRuns } from './runs';
import { getSession } from './session';

export interface Answer {
  text: string;
  state: 'empty' | 'waiting' | 'writing' | 'done' | 'stopped';
  /** What a classifier answers instead of text. */
  scores?: LabelScore[];
}
const empty: Answer = { text: '', state: 'empty' };

interface AnyAdapter {
  name: string;
  trainableParameters: number;
  method: MethodType;
  objective: ObjectiveType;
}
export type OpenAdapter = AnyAdapter & ({ kind: 'run'; run: RunRecord } | { kind: 'import' });

/** Whether what was learned sorts texts or words, and writes none. */
export const sorts = (adapter: Pick<AnyAdapter, 'objective'> | null): boolean =>
  adapter !== null && objectiveOf({ type: adapter.objective }).learns === 'labels';

interface CompareState {
  /** The active one. */
  adapter: OpenAdapter | null;
  /** All that are loaded, the active one too. */
  adapters: LoadedAdapter[];
  opening: boolean;
  adapterError: ErrorData | null;
  prompt: string;
  /** What the two answers below answer. */
  asked: string | null;
  temperature: number;
  topP: number;
  seed: number;
  strength: number;
  maxNewTokens: number;
  base: Answer;
  tuned: Answer;
  generating: boolean;
  error: ErrorData | null;
  exporting: boolean;
  exportError: ErrorData | null;
  /** About the last exported files, a sentence each. */
  exportNotes: string[];
  set: (
    change: Partial<Pick<CompareState, 'prompt' | 'temperature' | 'topP' | 'seed' | 'strength' | 'maxNewTokens'>>,
  ) => void;
  openRun: (run: RunRecord) => Promise<void>;
  importAdapter: (files: { path: string; file: File }[]) => Promise<boolean>;
  /** Null: the base alone. */
  activate: (id: string | null) => Promise<void>;
  removeAdapter: (id: string) => Promise<void>;
  /** A new model has no adapter yet. */
  forgetAdapter: () => void;
  ask: () => Promise<void>;
  cancel: () => void;
  exportAdapter: () => Promise<AdapterExport | null>;
}

let abort: AbortController | null = null;
/** The settings under which the base has answered: it need not answer the same question twice. */
let baseKey = '';

const fromRun = (run: RunRecord): OpenAdapter => ({
  kind: 'run',
  run,
  name: run.name,
  trainableParameters: run.trainableParameters,
  method: run.recipe.method.type,
  objective: run.recipe.objective.type,
});

function fromLoaded({ name, trainableParameters, method, objective, runId }: LoadedAdapter): OpenAdapter {
  const run = useRuns.getState().runs.find(({ id }) => id === runId);
  return run ? fromRun(run) : { kind: 'import', name, trainableParameters, method, objective };
}

const loaded = () =>
  getSession()
    .listAdapters()
    .catch((): LoadedAdapter[] => []);

/** Another adapter: what the tuned model said is no longer what it says, and a classifier's base is another question. */
function changed(before: OpenAdapter | null, adapter: OpenAdapter | null): Partial<CompareState> {
  const other = sorts(before) !== sorts(adapter);
  return { adapter, tuned: empty, ...(other ? { base: empty, asked: null } : {}) };
}

export const useCompare = create<CompareState>()((set, get) => ({
  adapter: null,
  adapters: [],
  opening: false,
  adapterError: null,
  prompt: '',
  asked: null,
  temperature: 0,
  topP: 0.95,
  seed: 42,
  strength: 1,
  maxNewTokens: 64,
  base: empty,
  tuned: empty,
  generating: false,
  error: null,
  exporting: false,
  exportError: null,
  exportNotes: [],

  set: (change) => set(change),

  async openRun(run) {
    set({ opening: true, adapterError: null });
    try {
      const record = await getSession().openRun(run.id);
      set({ ...changed(get().adapter, fromRun(record)), exportError: null, exportNotes: [], adapters: await loaded() });
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
      const opened: OpenAdapter = active
        ? { ...fromLoaded(active), name, trainableParameters }
        : { kind: 'import', name, trainableParameters, method: defaultMethod, objective: defaultObjective };
      set({ ...changed(get().adapter, opened), exportError: null, exportNotes: [], adapters });
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
        ...changed(get().adapter, active ? fromLoaded(active) : null),
        exportError: null,
        exportNotes: [],
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
      set({ adapters, ...(wasActive ? changed(get().adapter, null) : {}) });
    } catch (cause) {
      set({ adapterError: toErrorData(cause, 'This adapter could not be removed.') });
    }
  },

  forgetAdapter() {
    get().cancel();
    baseKey = '';
    set({ adapter: null, adapters: [], base: empty, tuned: empty, asked: null });
  },

  async ask() {
    const { prompt, temperature, topP, seed, strength, maxNewTokens, adapter, generating } = get();
    if (generating || prompt.trim() === '') return;
    const controller = new AbortController();
    abort = controller;
    const options = { maxNewTokens, temperature, topP, seed };
    const sorting = sorts(adapter);
    const key = JSON.stringify([prompt, options, sorting && adapter?.name]);
    const keepBase = key === baseKey && get().base.state === 'done';
    set({
      generating: true,
      asked: prompt,
      error: null,
      ...(keepBase ? {} : { base: { text: '', state: 'waiting' as const } }),
      tuned: adapter ? { text: '', state: 'waiting' } : empty,
    });
    const write = async (column: 'base' | 'tuned', adapterStrength: number) => {
      if (sorting) {
        set({ [column]: { text: '', state: 'writing' } });
        const scores = await getSession().classify(prompt, adapterStrength);
        set({ [column]: { text: '', state: controller.signal.aborted ? 'stopped' : 'done', scores } });
        return;
      }
      const text = await getSession().generate(
        prompt,
        { ...options, adapterStrength },
        (soFar) => set({ [column]: { text: soFar, state: 'writing' } }),
        controller.signal,
      );
      set({ [column]: { text, state: controller.signal.aborted ? 'stopped' : 'done' } });
    };
    try {
      // One GPU: the two answers come one after the other.
      if (!keepBase) {
        baseKey = '';
        await write('base', 0);
        if (!controller.signal.aborted) baseKey = key;
      }
      if (adapter && !controller.signal.aborted) await write('tuned', strength);
    } catch (cause) {
      if (!isCancelled(cause)) set({ error: toErrorData(cause, 'The model could not answer.') });
    } finally {
      const settle = (answer: Answer): Answer =>
        answer.state === 'done' || answer.state === 'empty' ? answer : { ...answer, state: 'stopped' };
      set((state) => ({ generating: false, base: settle(state.base), tuned: settle(state.tuned) }));
    }
  },

  cancel: () => abort?.abort(),

  async exportAdapter() {
    set({ exporting: true, exportError: null, exportNotes: [] });
    try {
      const exported = await getSession().exportAdapter();
      set({ exportNotes: exported.notes });
      return exported;
    } catch (cause) {
      set({ exportError: toErrorData(cause, 'The adapter could not be exported.') });
      return null;
    } finally {
      set({ exporting: false });
    }
  },
}));
