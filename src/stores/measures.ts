/** What is measured of the columns: loss on the held-out examples, forgetting, and how far the weights were moved. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { DataOf, Forgetting, HeldOutMeasure, LayerChange, ModelId } from '../session/comparison-types';
import { useCompare, whileWorking } from './compare';
import { knownModels, modelOf } from './compared';
import { isCancelled, toErrorData } from './errors';
import { getSession } from './session';
import { useTraining } from './training';

export type Kind = 'heldOut' | 'forgetting' | 'changes';

/** Null: not measurable, as the sentence on the screen says. */
interface Results {
  heldOut: HeldOutMeasure;
  forgetting: Forgetting | null;
  changes: LayerChange[];
}

interface MeasuresState {
  /** By `keyOf`. */
  heldOut: Record<string, HeldOutMeasure>;
  forgetting: Record<string, Forgetting | null>;
  changes: Record<string, LayerChange[]>;
  running: Kind | null;
  /** Of what is running, 0 to 1; null while it is not known. */
  progress: number | null;
  error: { kind: Kind; data: ErrorData } | null;
  /** What a person has stopped, or has seen fail: it is not measured again by itself. */
  declined: Partial<Record<Kind, boolean>>;
  /** Measures what is not known yet of these models, one after another. */
  measure: (kind: Kind, models: readonly ModelId[], of?: DataOf) => Promise<void>;
  cancel: () => void;
  /** Makes way for an answer or a run. */
  interrupt: () => void;
  dismiss: () => void;
}

/** Held-out figures are of a model on some data; the others of a model alone. A run that goes on becomes another model. */
export function keyOf(model: ModelId, of?: DataOf): string {
  const data = of && ('runId' in of ? of.runId : [of.recipe.dataset, of.recipe.objective]);
  return JSON.stringify([model, modelOf(model, knownModels()).run?.step ?? null, data ?? null]);
}

let abort: AbortController | null = null;

export const useMeasures = create<MeasuresState>()((set, get) => ({
  heldOut: {},
  forgetting: {},
  changes: {},
  running: null,
  progress: null,
  error: null,
  declined: {},

  async measure(kind, models, of) {
    if (get().running || useCompare.getState().generating) return;
    const missing = models.filter((model) => !(keyOf(model, of) in get()[kind]));
    if (missing.length === 0) return;
    const controller = new AbortController();
    abort = controller;
    const { signal } = controller;
    set(({ declined }) => ({ running: kind, progress: null, error: null, declined: { ...declined, [kind]: false } }));
    await whileWorking(async () => {
      try {
        const comparison = await getSession().comparison();
        for (const [i, model] of missing.entries()) {
          const tell = (done: number, total: number) =>
            set({ progress: (i + done / Math.max(1, total)) / missing.length });
          const found: Results[Kind] =
            kind === 'heldOut'
              ? await comparison.measure(model, of!, tell, signal)
              : kind === 'forgetting'
                ? await comparison.forgetting(model, signal)
                : await comparison.changes(model, tell, signal);
          if (signal.aborted) break;
          set((state) => ({ [kind]: { ...state[kind], [keyOf(model, of)]: found } }) as Partial<MeasuresState>);
        }
      } catch (cause) {
        if (!isCancelled(cause)) set({ error: { kind, data: toErrorData(cause, 'This could not be measured.') } });
      } finally {
        if (abort === controller) {
          set({ running: null, progress: null });
        }
      }
    });
  },

  cancel() {
    const { running } = get();
    if (running) set(({ declined }) => ({ declined: { ...declined, [running]: true } }));
    abort?.abort();
  },
  interrupt: () => abort?.abort(),
  dismiss: () =>
    set(({ declined, error }) => ({ error: null, declined: error ? { ...declined, [error.kind]: true } : declined })),
}));

export interface ExampleChange {
  row: number;
  before: number;
  after: number;
  /** Below 0 it got better. */
  change: number;
}

/** The loss of each held-out example under two models. What cannot be measured (no targets) is left out. */
export function exampleChanges(before: HeldOutMeasure, after: HeldOutMeasure): ExampleChange[] {
  const changes: ExampleChange[] = [];
  const byRow = new Map(before.rows.map((row, i) => [row, before.losses[i]!]));
  for (const [i, row] of after.rows.entries()) {
    const [was, is] = [byRow.get(row), after.losses[i]!];
    if (was === undefined || !Number.isFinite(was) || !Number.isFinite(is)) continue;
    changes.push({ row, before: was, after: is, change: is - was });
  }
  return changes;
}

// A run needs the GPU, and frees what is being measured.
useTraining.subscribe(({ phase }, before) => {
  if (phase !== before.phase && phase !== 'idle') abort?.abort();
});

// Figures belong to a model: another one has none yet, and a run that was resumed has others.
useCompare.subscribe(({ adapters }, before) => {
  if (adapters.length > 0 || before.adapters.length === 0) return;
  abort?.abort();
  useMeasures.setState({ heldOut: {}, forgetting: {}, changes: {}, error: null });
});
