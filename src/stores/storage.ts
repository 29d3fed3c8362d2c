/** What Tabtune keeps in this browser, for the storage dialog and the shelf of models. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { StorageItem } from '../session/api';
import { toErrorData } from './errors';
import { useHub } from './hub';
import { useRuns } from './runs';
import { getSession } from './session';

export interface StorageReport {
  usage: number;
  quota: number;
  persisted: boolean;
  items: StorageItem[];
}

interface StorageState {
  report: StorageReport | null;
  error: ErrorData | null;
  /** The browser has declined to keep the data persistently. */
  refused: boolean;
  refresh: () => Promise<void>;
  remove: (id: string) => Promise<void>;
  eraseEverything: () => Promise<boolean>;
  persist: () => Promise<void>;
}

/** Models stored here completely, each with the source that opens it: the id of a Hub model is its source. */
export function modelsKept(report: StorageReport | null): (StorageItem & { source: string })[] {
  return (report?.items ?? [])
    .filter(({ kind, total }) => kind === 'model' && total === undefined)
    .map((item) => ({ ...item, source: item.id.startsWith('hf:') ? item.id : `file:${item.name}` }));
}

export const useStorage = create<StorageState>()((set, get) => ({
  report: null,
  error: null,
  refused: false,
  async refresh() {
    try {
      set({ report: await getSession().storage(), error: null });
    } catch (cause) {
      set({ error: toErrorData(cause, 'This browser’s storage could not be read.') });
    }
  },
  async remove(id) {
    let error: ErrorData | null = null;
    try {
      await getSession().deleteStored(id);
    } catch (cause) {
      error = toErrorData(cause, 'This could not be deleted.');
    }
    await Promise.all([get().refresh(), useRuns.getState().refresh(), useHub.getState().loadShelf()]);
    // Set last, because a successful refresh clears the error.
    if (error) set({ error });
  },
  async eraseEverything() {
    try {
      await getSession().eraseEverything();
      return true;
    } catch (cause) {
      set({ error: toErrorData(cause, 'Not everything could be erased.', 'Close other Tabtune tabs and try again.') });
      return false;
    }
  },
  async persist() {
    try {
      const persisted = await getSession().persist();
      set({ refused: !persisted });
      await get().refresh();
    } catch (cause) {
      set({ error: toErrorData(cause, 'The browser did not answer whether it will keep the data.') });
    }
  },
}));
