/** Preferences about the screen itself, stored in this browser. */
import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { HUB } from '../hub/hub-id';

export type Theme = 'system' | 'light' | 'dark';

interface PreferencesState {
  theme: Theme;
  /** Single-key shortcuts (1-5, ?, P). People who use voice control need to turn them off. */
  shortcuts: boolean;
  notifyWhenDone: boolean;
  logScale: boolean;
  /** 0 draws only the raw loss, 0.95 smooths the most. */
  smoothing: number;
  /** Where models are downloaded from: the Hub or a mirror. Its token is never stored. */
  hubEndpoint: string;
  set: (change: Partial<Omit<PreferencesState, 'set'>>) => void;
}

export const usePreferences = create<PreferencesState>()(
  persist(
    (set) => ({
      theme: 'system',
      shortcuts: true,
      notifyWhenDone: false,
      logScale: false,
      smoothing: 0.6,
      hubEndpoint: HUB,
      set: (change) => set(change),
    }),
    { name: 'tabtune.preferences', version: 1 },
  ),
);
