/** The Runs page: what is filtered, selected and drawn, and what a person says of a run. */
import { create } from 'zustand';
import { type MetricsFormat, metricsFile } from '../exports/run-metrics';
import type { MetricsRow, RunLabels, RunRecord } from '../storage/types';
import { useCompare } from './compare';
import { toErrorData } from './errors';
import { useRuns } from './runs';
import { getSession } from './session';
import { useTraining } from './training';

interface Curve {
  /** How far the run was when its rows were read: a resumed run has more of them. */
  step: number;
  rows: MetricsRow[];
}

interface RunTableState {
  selected: string[];
  curves: Record<string, Curve>;
  /** Bytes of each run's checkpoints. */
  sizes: Record<string, number>;
  select: (ids: string[]) => void;
  readSizes: () => Promise<void>;
  readCurves: (runs: readonly RunRecord[]) => Promise<void>;
  label: (id: string, change: Partial<RunLabels>) => Promise<boolean>;
  remove: (ids: readonly string[]) => Promise<void>;
  /** Null if the metrics cannot be read. */
  exported: (run: RunRecord, format: MetricsFormat) => Promise<ReturnType<typeof metricsFile> | null>;
}

const fail = (cause: unknown, message: string) => useRuns.setState({ error: toErrorData(cause, message) });

export const useRunTable = create<RunTableState>()((set, get) => ({
  selected: [],
  curves: {},
  sizes: {},

  select: (selected) => set({ selected }),

  async readSizes() {
    try {
      const { items } = await getSession().storage();
      const runs = items.filter(({ kind }) => kind === 'run');
      set({ sizes: Object.fromEntries(runs.map(({ id, bytes }) => [id.slice('run/'.length), bytes])) });
    } catch (cause) {
      fail(cause, 'The sizes of the runs could not be read.');
    }
  },

  async readCurves(runs) {
    const missing = runs.filter(({ id, step }) => get().curves[id]?.step !== step);
    await Promise.all(
      missing.map(async ({ id, step }) => {
        try {
          const rows = await getSession().runMetrics(id);
          set(({ curves }) => ({ curves: { ...curves, [id]: { step, rows } } }));
        } catch (cause) {
          // Noted, so that it is not asked for again and again.
          set(({ curves }) => ({ curves: { ...curves, [id]: { step, rows: [] } } }));
          fail(cause, 'The curve of this run could not be read.');
        }
      }),
    );
  },

  async label(id, change) {
    try {
      const record = await getSession().labelRun(id, change);
      const labels: RunLabels = {
        name: record.name,
        ...{ tags: record.tags, pinned: record.pinned, note: record.note },
      };
      useRuns.setState(({ runs }) => ({
        runs: runs.map((run) => (run.id === id ? { ...run, ...labels } : run)),
        error: null,
      }));
      useTraining.setState(({ run }) => (run?.id === id ? { run: { ...run, ...labels } } : {}));
      if (change.name !== undefined) await renameAdapter(id, record.name);
      return true;
    } catch (cause) {
      fail(cause, 'The change to this run could not be saved.');
      return false;
    }
  },

  async remove(ids) {
    for (const id of ids) {
      await useRuns.getState().remove(id);
      // Refused, for a reason that the page shows.
      if (useRuns.getState().runs.some((run) => run.id === id)) break;
      useTraining.getState().forgetRun(id);
      const open = useCompare.getState().adapters.find(({ runId }) => runId === id);
      if (open) await useCompare.getState().removeAdapter(open.id);
      set(({ selected, curves: { [id]: _gone, ...curves } }) => ({
        curves,
        selected: selected.filter((other) => other !== id),
      }));
    }
    await get().readSizes();
  },

  async exported(run, format) {
    try {
      return metricsFile(format, run, await getSession().runMetrics(run.id));
    } catch (cause) {
      fail(cause, 'The metrics of this run could not be read.');
      return null;
    }
  },
}));

/** What was learned is called after its run. */
async function renameAdapter(runId: string, name: string): Promise<void> {
  const { adapter, adapters } = useCompare.getState();
  if (adapters.some((one) => one.runId === runId)) useCompare.setState({ adapters: await getSession().listAdapters() });
  if (adapter?.kind === 'run' && adapter.run.id === runId) {
    useCompare.setState({ adapter: { ...adapter, name, run: { ...adapter.run, name } } });
  }
}
