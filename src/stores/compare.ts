/** The two columns: one prompt, answered by the base and by the tuned model; and which adapter is on the model. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { RunRecord } from '../storage/types';
import { isCancelled, toErrorData } from './errors';
import { getSession } from './session';

export interface Answer {
  text: string;
  state: 'empty' | 'waiting' | 'writing' | 'done' | 'stopped';
}
const empty: Answer = { text: '', state: 'empty' };

export type OpenAdapter =
  | { kind: 'run'; run: RunRecord; name: string; trainableParameters: number }
  | { kind: 'import'; name: string; trainableParameters: number };

interface CompareState {
  adapter: OpenAdapter | null;
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
  set: (
    change: Partial<Pick<CompareState, 'prompt' | 'temperature' | 'topP' | 'seed' | 'strength' | 'maxNewTokens'>>,
  ) => void;
  openRun: (run: RunRecord) => Promise<void>;
  importAdapter: (files: { path: string; file: File }[]) => Promise<boolean>;
  /** A new model has no adapter yet. */
  forgetAdapter: () => void;
  ask: () => Promise<void>;
  cancel: () => void;
  exportAdapter: () => Promise<{ name: string; files: { path: string; bytes: Uint8Array }[] } | null>;
}

let abort: AbortController | null = null;
/** The settings under which the base has answered: it need not answer the same question twice. */
let baseKey = '';

export const useCompare = create<CompareState>()((set, get) => ({
  adapter: null,
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

  set: (change) => set(change),

  async openRun(run) {
    set({ opening: true, adapterError: null });
    try {
      const record = await getSession().openRun(run.id);
      const { name, trainableParameters } = record;
      set({ adapter: { kind: 'run', run: record, name, trainableParameters }, tuned: empty, exportError: null });
    } catch (cause) {
      set({ adapterError: toErrorData(cause, `What “${run.name}” learned could not be loaded.`) });
    } finally {
      set({ opening: false });
    }
  },

  async importAdapter(files) {
    set({ opening: true, adapterError: null });
    try {
      const adapter = await getSession().importAdapter(files);
      set({ adapter: { kind: 'import', ...adapter }, tuned: empty, exportError: null });
      return true;
    } catch (cause) {
      set({ adapterError: toErrorData(cause, 'This adapter could not be opened.') });
      return false;
    } finally {
      set({ opening: false });
    }
  },

  forgetAdapter() {
    get().cancel();
    baseKey = '';
    set({ adapter: null, base: empty, tuned: empty, asked: null });
  },

  async ask() {
    const { prompt, temperature, topP, seed, strength, maxNewTokens, adapter, generating } = get();
    if (generating || prompt.trim() === '') return;
    const controller = new AbortController();
    abort = controller;
    const options = { maxNewTokens, temperature, topP, seed };
    const key = JSON.stringify([prompt, options]);
    const keepBase = key === baseKey && get().base.state === 'done';
    set({
      generating: true,
      asked: prompt,
      error: null,
      ...(keepBase ? {} : { base: { text: '', state: 'waiting' as const } }),
      tuned: adapter ? { text: '', state: 'waiting' } : empty,
    });
    const write = async (column: 'base' | 'tuned', adapterStrength: number) => {
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
    set({ exporting: true, exportError: null });
    try {
      return await getSession().exportAdapter();
    } catch (cause) {
      set({ exportError: toErrorData(cause, 'The adapter could not be exported.') });
      return null;
    } finally {
      set({ exporting: false });
    }
  },
}));
