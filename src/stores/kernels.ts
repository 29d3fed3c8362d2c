/** Which kernels this card's runs use, and timing them again. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { KeptKernels } from '../base/product-class';
import { isCancelled, toErrorData } from './errors';
import { getSession } from './session';

interface KernelsState {
  /** Null until the engine has said it. */
  kept: KeptKernels | null;
  /** From 0 to 1 while they are timed; null otherwise. */
  progress: number | null;
  error: ErrorData | null;
  load(): Promise<void>;
  measure(): Promise<void>;
  cancel(): void;
  choose(timed: boolean): Promise<void>;
}

let controller: AbortController | null = null;

export const useKernels = create<KernelsState>()((set) => {
  const show = async (work: () => Promise<KeptKernels>, message: string) => {
    try {
      set({ kept: await work(), error: null });
    } catch (cause) {
      if (!isCancelled(cause)) set({ error: toErrorData(cause, message) });
    }
  };
  return {
    kept: null,
    progress: null,
    error: null,
    load: () => show(() => getSession().keptKernels(), 'The kernels of this GPU could not be read.'),
    choose: (timed) => show(() => getSession().chooseKernels(timed), 'The kernels could not be chosen.'),
    async measure() {
      if (controller) return;
      const mine = new AbortController();
      controller = mine;
      set({ progress: 0, error: null });
      const onProgress = (progress: number) => set({ progress });
      await show(() => getSession().measureKernels(onProgress, mine.signal), 'The kernels could not be timed.');
      controller = null;
      set({ progress: null });
    },
    cancel: () => controller?.abort(),
  };
});
