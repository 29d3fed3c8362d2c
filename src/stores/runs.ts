/** Past runs: the list, the runs chosen as overlays, and their curves. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { MetricsRow, RunRecord } from '../storage/types';
import { toErrorData } from './errors';
import { getSession } from './session';

interface RunsState {
  runs: RunRecord[];
  /** False until the list has been read once, so that it does not look empty too early. */
  known: boolean;
  curves: Record<string, MetricsRow[]>;
  /** Runs drawn over the current one, in the order they were chosen. */
  overlay: string[];
  error: ErrorData | null;
  refresh: () => Promise<void>;
  toggleOverlay: (id: string) => Promise<void>;
  remove: (id: string) => Promise<void>;
}

/** More curves would be hard to tell apart. */
const maxOverlay = 3;

export const useRuns = create<RunsState>()((set, get) => ({
  runs: [],
  known: false,
  curves: {},
  overlay: [],
  error: null,

  async refresh() {
    try {
      const runs = await getSession().runs();
      runs.sort((a, b) => b.createdAt - a.createdAt);
      set({ runs, known: true, error: null });
    } catch (cause) {
      set({ known: true, error: toErrorData(cause, 'The list of past runs could not be read.') });
    }
  },

  async toggleOverlay(id) {
    const { overlay, curves } = get();
    if (overlay.includes(id)) {
      set({ overlay: overlay.filter((other) => other !== id) });
      return;
    }
    set({ overlay: [...overlay, id].slice(-maxOverlay) });
    if (curves[id]) return;
    try {
      const rows = await getSession().runMetrics(id);
      set((state) => ({ curves: { ...state.curves, [id]: rows } }));
    } catch (cause) {
      set({ error: toErrorData(cause, 'The curve of this run could not be read.') });
    }
  },

  async remove(id) {
    try {
      await getSession().deleteRun(id);
      set((state) => {
        const { [id]: _gone, ...curves } = state.curves;
        return {
          curves,
          runs: state.runs.filter((run) => run.id !== id),
          overlay: state.overlay.filter((other) => other !== id),
        };
      });
    } catch (cause) {
      set({ error: toErrorData(cause, 'The run could not be deleted.') });
    }
  },
}));
