/** Preferences about the screen itself, stored in this browser. */

import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import type { ByteUnits } from '../base/bytes';
import { HUB } from '../hub/hub-id';

export type Theme = 'system' | 'light' | 'dark';
export type Motion = 'system' | 'reduced';

export interface Preferences {
  theme: Theme;
  motion: Motion;
  /** How sizes are written. */
  units: ByteUnits;
  /** Single-key shortcuts (1-6, ?, P). People who use voice control need to turn them off. */
  shortcuts: boolean;
  notifyWhenDone: boolean;
  logScale: boolean;
  /** 0 draws only the raw loss, 0.95 smooths the most. */
  smoothing: number;
  /** Whether Advanced shows the recipe as JSON beside its fields. */
  recipeJson: boolean;
  /** Columns and order of the table of runs; null until somebody has chosen. */
  runColumns: string[] | null;
  runSort: { column: string; descending: boolean } | null;
  /** The Hub or mirror that was chosen last, to be offered again: each tab begins with the Hub (stores/hub-choice.ts). */
  hubEndpoint: string;
}

interface PreferencesState extends Preferences {
  set: (change: Partial<Preferences>) => void;
  reset: () => void;
}

const first: Preferences = {
  theme: 'system',
  motion: 'system',
  units: 'decimal',
  shortcuts: true,
  notifyWhenDone: false,
  logScale: false,
  smoothing: 0.6,
  recipeJson: false,
  runColumns: null,
  runSort: null,
  hubEndpoint: HUB,
};

export const usePreferences = create<PreferencesState>()(
  persist(
    (set) => ({
      ...first,
      set: (change) => set(change),
      reset: () => set(first),
    }),
    { name: 'tabtune.preferences', version: 1 },
  ),
);
