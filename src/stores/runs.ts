/** Past runs: the list, the runs chosen as overlays, and their curves. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { MetricsRow, RunRecord } from '../storage/types';
import { toErrorData } from './errors';
import { shownLoss } from './evaluations';
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
  /** What has become of one run, without reading all of them again. */
  note: (run: RunRecord) => void;
  toggleOverlay: (id: string) => Promise<void>;
  remove: (id: string) => Promise<void>;
}

/** It can be resumed. */
export const unfinished = ({ status }: RunRecord): boolean => status === 'interrupted' || status === 'paused';

/**
 * Runs whose validation losses can be compared: the same objective on the same tokens, or, where an older record does not
 * say which they were, on the same data and model.
 */
export const comparable = ({ recipe, inputs }: RunRecord): string =>
  [recipe.objective.type, inputs?.examples?.sha256 ?? `${recipe.dataset.source} ${recipe.model.source}`].join(' ');

/** The lowest validation loss among the runs that compare with the latest that has one, as it is shown. Newest first. */
export function bestOfLatest(runs: readonly RunRecord[]): number | null {
  const latest = runs.find(({ bestEvalLoss }) => bestEvalLoss !== null);
  if (!latest) return null;
  const group = comparable(latest);
  const lowest = Math.min(
    ...runs.map((run) => (comparable(run) === group ? (run.bestEvalLoss ?? Infinity) : Infinity)),
  );
  return shownLoss(latest, lowest);
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

  note: (run) =>
    set(({ runs }) => {
      const known = runs.find(({ id }) => id === run.id);
      if (!known) return { runs: [run, ...runs] };
      const { status, step, savedStep } = run;
      if (known.status === status && known.step === step && known.savedStep === savedStep) return {};
      return { runs: runs.map((other) => (other === known ? { ...known, status, step, savedStep } : other)) };
    }),

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
