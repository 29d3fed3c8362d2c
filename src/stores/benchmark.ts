/** The benchmark of this device: one at a time, and never beside a run. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { BenchmarkProgress, BenchmarkResult } from '../benchmark/result';
import { benchmark } from '../session/benchmark';
import { isCancelled, toErrorData } from './errors';
import { runActive, useTraining } from './training';

interface BenchmarkState {
  /** Null while nothing is measured. */
  progress: BenchmarkProgress | 'opening' | null;
  /** When it began, in milliseconds since 1970. */
  began: number;
  result: BenchmarkResult | null;
  error: ErrorData | null;
  /** A run began, so the benchmark ended. */
  gaveWay: boolean;
  start(): Promise<void>;
  cancel(): void;
}

let controller: AbortController | null = null;

export const useBenchmark = create<BenchmarkState>()((set) => ({
  progress: null,
  began: 0,
  result: null,
  error: null,
  gaveWay: false,

  async start() {
    if (controller) return;
    const mine = new AbortController();
    controller = mine;
    set({ progress: 'opening', began: Date.now(), result: null, error: null, gaveWay: false });
    const unsubscribe = useTraining.subscribe((state) => {
      if (!runActive(state)) return;
      set({ gaveWay: true });
      mine.abort();
    });
    try {
      set({ result: await benchmark((progress) => set({ progress }), mine.signal) });
    } catch (cause) {
      if (!isCancelled(cause)) set({ error: toErrorData(cause, 'This device could not be measured.') });
    } finally {
      unsubscribe();
      controller = null;
      set({ progress: null });
    }
  },

  cancel: () => controller?.abort(),
}));
