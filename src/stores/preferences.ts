/** What a person prefers about the screen itself. Kept in this browser. */
import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { HUB } from '../hub/hub-id';

export type Theme = 'system' | 'light' | 'dark';

interface PreferencesState {
  theme: Theme;
  /** Single-key shortcuts (1-5, ?, P); people who speak to their computer need to switch them off. */
  shortcuts: boolean;
  notifyWhenDone: boolean;
  logScale: boolean;
  /** 0 draws the raw loss only, 0.95 smooths the most. */
  smoothing: number;
  /** Where models are fetched from: the Hub, or a mirror. The token that goes with it is never kept. */
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
