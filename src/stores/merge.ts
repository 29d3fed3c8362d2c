/** Exporting the adapter merged into its base: a whole model, in a chosen precision. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { MergedDtype, MergedExport, MergeProgress } from '../session/api';
import { isCancelled, toErrorData } from './errors';
import { getSession } from './session';

export interface Merged {
  name: string;
  dtype: MergedDtype;
  bytes: number;
  maxLogitDifference: number | null;
  notes: string[];
}

interface MergeState {
  dtype: MergedDtype;
  state: 'idle' | 'merging' | 'saving';
  progress: MergeProgress | null;
  /** The result of the last export, until the next one starts. */
  result: Merged | null;
  error: ErrorData | null;
  setDtype: (dtype: MergedDtype) => void;
  /** Merges, then passes the folder to `save`. */
  merge: (save: (merged: MergedExport, signal: AbortSignal) => Promise<void>) => Promise<void>;
  cancel: () => void;
  /** For another adapter or model: the last result does not apply to it. */
  forget: () => void;
}

export const mergeActive = ({ state }: MergeState): boolean => state !== 'idle';

let abort: AbortController | null = null;

export const useMerge = create<MergeState>()((set, get) => ({
  dtype: 'BF16',
  state: 'idle',
  progress: null,
  result: null,
  error: null,

  setDtype: (dtype) => set({ dtype }),

  async merge(save) {
    if (get().state !== 'idle') return;
    const { dtype } = get();
    const controller = new AbortController();
    abort = controller;
    set({ state: 'merging', progress: null, result: null, error: null });
    try {
      const merged = await getSession().exportMerged(dtype, (progress) => set({ progress }), controller.signal);
      if (controller.signal.aborted) return;
      set({ state: 'saving', progress: null });
      await save(merged, controller.signal);
      const { name, bytes, maxLogitDifference, notes } = merged;
      set({ result: { name, dtype, bytes, maxLogitDifference, notes } });
    } catch (cause) {
      if (!isCancelled(cause)) set({ error: toErrorData(cause, 'The merged model could not be exported.') });
    } finally {
      set({ state: 'idle', progress: null });
    }
  },

  cancel: () => abort?.abort(),

  forget() {
    abort?.abort();
    set({ result: null, error: null });
  },
}));
