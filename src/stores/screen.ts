/** The open dialog and the current error. Not kept over a reload. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';

export type DialogName = 'commands' | 'shortcuts' | 'privacy' | 'storage' | 'hub' | 'runCard';

interface ScreenState {
  dialog: DialogName | null;
  /** An error that belongs to no page, e.g. a dropped file of an unknown kind. */
  error: ErrorData | null;
  openDialog: (dialog: DialogName) => void;
  closeDialog: () => void;
  showError: (error: ErrorData | null) => void;
}

export const useScreen = create<ScreenState>()((set) => ({
  dialog: null,
  error: null,
  openDialog: (dialog) => set({ dialog }),
  closeDialog: () => set({ dialog: null }),
  showError: (error) => set({ error }),
}));
