/** Downloads of models: active and unfinished ones, and which of them to open when complete. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { Download, Quantization } from '../hub/descriptions';
import { isCancelled, toErrorData } from './errors';
import { useHub } from './hub';
import { useModel } from './model';
import { useRecipe } from './recipe';
import { getSession } from './session';
import { useTraining } from './training';

interface DownloadsState {
  downloads: Download[];
  /** A request that failed and is not shown with its download. */
  error: ErrorData | null;
  /** Downloads a model and opens it in a precision, unless another one has been requested meanwhile. */
  fetchAndOpen: (source: string, quantization: Quantization) => Promise<void>;
  /** Continues a paused, failed or unfinished one. */
  resume: (source: string) => Promise<void>;
  pause: (source: string) => Promise<void>;
  cancel: (source: string) => Promise<void>;
  /** Opens a downloaded model. False while a run is using the open model. */
  open: (source: string, quantization?: Quantization) => boolean;
}

/** The model to open when it is complete: the last one requested. */
let wanted: { source: string; quantization: Quantization | undefined } | null = null;

export const useDownloads = create<DownloadsState>()((set, get) => {
  async function attempt(source: string, work: () => Promise<void>, message: string): Promise<boolean> {
    try {
      set({ error: null });
      await work();
      return true;
    } catch (cause) {
      // A failed download shows its own error.
      const shown = get().downloads.some((download) => download.source === source && download.error !== null);
      if (!isCancelled(cause) && !shown) set({ error: toErrorData(cause, message, 'Try again.') });
      return false;
    }
  }

  async function fetchWanted(source: string) {
    const here = await attempt(source, () => getSession().download(source), 'The model could not be downloaded.');
    if (!here) return;
    void useHub.getState().loadShelf();
    if (wanted?.source === source) get().open(source, wanted.quantization);
  }

  return {
    downloads: [],
    error: null,
    async fetchAndOpen(source, quantization) {
      wanted = { source, quantization };
      await fetchWanted(source);
    },
    async resume(source) {
      if (wanted?.source !== source) wanted = { source, quantization: undefined };
      await fetchWanted(source);
    },
    async pause(source) {
      await attempt(source, () => getSession().pauseDownload(source), 'The download could not be paused.');
    },
    async cancel(source) {
      if (wanted?.source === source) wanted = null;
      await attempt(source, () => getSession().cancelDownload(source), 'The partial download could not be deleted.');
    },
    open(source, quantization) {
      if (useTraining.getState().phase !== 'idle') return false;
      wanted = null;
      const precision = quantization === undefined || quantization === 'none' ? undefined : quantization;
      const before = useRecipe.getState().recipe.model;
      useRecipe.getState().set({ 'model.source': source, 'model.quantization': precision });
      const { model } = useRecipe.getState().recipe;
      // If the recipe named the model before it was complete, no field changes and the pipeline does not notice.
      const same = before.source === model.source && before.quantization === model.quantization;
      if (same && useModel.getState().status === 'failed') void useModel.getState().open(model);
      return true;
    },
  };
});

/** Listens to the session. Returns a function that stops it. */
export function followDownloads(): () => void {
  return getSession().watchDownloads((downloads) => useDownloads.setState({ downloads }));
}
