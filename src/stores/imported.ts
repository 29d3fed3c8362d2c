/** Settings from another trainer's file, which wait for a person to take them or leave them. Nothing changes before. */
import { create } from 'zustand';
import type { ImportedConfig } from '../recipe/conversion/import';

interface ImportedState {
  offered: { name: string; config: ImportedConfig } | null;
  offer: (name: string, config: ImportedConfig) => void;
  dismiss: () => void;
}

export const useImported = create<ImportedState>()((set) => ({
  offered: null,
  offer: (name, config) => set({ offered: { name, config } }),
  dismiss: () => set({ offered: null }),
}));
