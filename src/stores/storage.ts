/** What Tabtune keeps in this browser, for the storage dialog. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { StorageItem } from '../worker/api';
import { toErrorData } from './errors';
import { useRuns } from './runs';
import { getSession } from './session';

interface StorageState {
  report: { usage: number; quota: number; persisted: boolean; items: StorageItem[] } | null;
  error: ErrorData | null;
  refresh: () => Promise<void>;
  remove: (id: string) => Promise<void>;
  eraseEverything: () => Promise<boolean>;
}

export const useStorage = create<StorageState>()((set, get) => ({
  report: null,
  error: null,
  async refresh() {
    try {
      set({ report: await getSession().storage(), error: null });
    } catch (cause) {
      set({ error: toErrorData(cause, 'This browser’s storage could not be read.') });
    }
  },
  async remove(id) {
    try {
      await getSession().deleteStored(id);
    } catch (cause) {
      set({ error: toErrorData(cause, 'This could not be deleted.') });
    }
    await Promise.all([get().refresh(), useRuns.getState().refresh()]);
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
}));
