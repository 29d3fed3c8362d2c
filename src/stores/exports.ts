/** Exporting what is on the model: one destination at a time, with progress and the result's proof. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { ExportId } from '../exports';
import type { ExportProgress } from '../exports/export';
import type { PageOptions } from '../exports/page/options';
import type { Recipe } from '../recipe/types';
import type { FinishedExport } from '../session/api';
import { isCancelled, toErrorData } from './errors';
import { getSession } from './session';

interface ExportsState {
  /** What is chosen on the screen; null before anybody has chosen. */
  chosen: ExportId | null;
  state: 'idle' | 'working' | 'saving';
  /** What is being exported, or was last. */
  id: ExportId | null;
  progress: ExportProgress | null;
  /** Seconds until all bytes are written, from the rate so far; null until there is one. */
  secondsLeft: number | null;
  /** The result of the last export, until the next one starts. */
  result: FinishedExport | null;
  error: ErrorData | null;
  choose: (id: ExportId) => void;
  /** What a person says of a page of their own; the run says the rest. */
  page: Partial<PageOptions>;
  setPage: (change: Partial<PageOptions>) => void;
  /** Exports, then passes the files to `save`. `recipe`: what would be trained, for exports that need no training. */
  export: (
    id: ExportId,
    recipe: Recipe,
    save: (done: FinishedExport, signal: AbortSignal) => Promise<void>,
  ) => Promise<void>;
  cancel: () => void;
  /** For another adapter or model: the last result does not apply to it. */
  forget: () => void;
}

export const exportActive = ({ state }: ExportsState): boolean => state !== 'idle';

let abort: AbortController | null = null;

/** Too short a time says nothing about a rate. */
const LEAST_SECONDS = 1;

export const useExports = create<ExportsState>()((set, get) => ({
  chosen: null,
  state: 'idle',
  id: null,
  progress: null,
  secondsLeft: null,
  result: null,
  error: null,

  choose: (chosen) => set({ chosen }),
  page: {},
  setPage: (change) => {
    const all = Object.entries({ ...get().page, ...change });
    // What is not said is the run's.
    set({ page: Object.fromEntries(all.filter(([, value]) => value !== undefined)) });
  },

  async export(id, recipe, save) {
    if (get().state !== 'idle') return;
    const controller = new AbortController();
    abort = controller;
    set({ state: 'working', id, progress: null, secondsLeft: null, result: null, error: null });
    let begun: number | null = null;
    const onProgress = (progress: ExportProgress) => {
      begun ??= performance.now();
      const seconds = (performance.now() - begun) / 1000;
      const known = progress.phase === 'writing' && seconds >= LEAST_SECONDS && progress.done > 0;
      set({ progress, secondsLeft: known ? (seconds * (progress.total - progress.done)) / progress.done : null });
    };
    try {
      const result = await getSession().exportAs(id, {
        onProgress,
        signal: controller.signal,
        recipe,
        page: get().page,
      });
      if (controller.signal.aborted) return;
      set({ state: 'saving', progress: null, secondsLeft: null });
      await save(result, controller.signal);
      set({ result });
    } catch (cause) {
      if (!isCancelled(cause)) set({ error: toErrorData(cause, 'The export failed.') });
    } finally {
      set({ state: 'idle', progress: null, secondsLeft: null });
    }
  },

  cancel: () => abort?.abort(),

  forget() {
    abort?.abort();
    set({ result: null, error: null });
  },
}));
