/** The open dialog and the current error. Not kept over a reload. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';

/** Topics of the help; what they say is in app/text/help.ts. */
export const helpIds = [
  'what',
  'data',
  'model',
  'method',
  'start',
  'loss',
  'overfitting',
  'compare',
  'not',
  'export',
  'words',
] as const;
export type HelpId = (typeof helpIds)[number];

export type DialogName =
  | 'commands'
  | 'shortcuts'
  | 'privacy'
  | 'storage'
  | 'hub'
  | 'runCard'
  | 'rate'
  | 'help'
  | 'settings'
  | 'report';

interface ScreenState {
  dialog: DialogName | null;
  /** An error that belongs to no page, e.g. a dropped file of an unknown kind. */
  error: ErrorData | null;
  /** The topic of the help that was looked at last. */
  help: HelpId | null;
  /** The last error that nothing caught, for a report. */
  crash: string | null;
  openDialog: (dialog: DialogName) => void;
  openHelp: (topic: HelpId) => void;
  closeDialog: () => void;
  showError: (error: ErrorData | null) => void;
}

export const useScreen = create<ScreenState>()((set) => ({
  dialog: null,
  error: null,
  help: null,
  crash: null,
  openDialog: (dialog) => set({ dialog }),
  openHelp: (help) => set({ dialog: 'help', help }),
  closeDialog: () => set({ dialog: null }),
  showError: (error) => set({ error }),
}));
