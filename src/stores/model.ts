/** The open model and the device it runs on. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { ModelSection } from '../recipe/types';
import type { DeviceReport, ModelInfo } from '../session/api';
import { NO_DEVICE } from '../session/no-device';
import { toErrorData } from './errors';
import { latestOnly } from './latest';
import { getSession } from './session';

interface ModelState {
  status: 'idle' | 'opening' | 'ready' | 'failed';
  /** The model that is open or being opened. */
  source: string | null;
  loaded: number;
  total: number;
  info: ModelInfo | null;
  error: ErrorData | null;
  device: DeviceReport | null;
  /** A dropped folder is being checked and copied. */
  importing: boolean;
  importError: ErrorData | null;
  inspectDevice: () => Promise<void>;
  open: (model: ModelSection) => Promise<void>;
  /** Stores a dropped folder and returns its source, or null if it is not a usable model. */
  importFolder: (files: { path: string; file: File }[]) => Promise<string | null>;
}

export const modelReady = ({ status }: ModelState): boolean => status === 'ready';

const opening = latestOnly();

export const useModel = create<ModelState>()((set) => ({
  status: 'idle',
  source: null,
  loaded: 0,
  total: 0,
  info: null,
  error: null,
  device: null,
  importing: false,
  importError: null,

  async inspectDevice() {
    try {
      set({ device: await getSession().device() });
    } catch (cause) {
      const problem = toErrorData(cause, 'The browser did not report what its GPU supports.', 'Reload the page.');
      set({
        device: { ...NO_DEVICE, problem },
      });
    }
  },

  async open({ source, quantization }) {
    set({ status: 'opening', source, loaded: 0, total: 0, info: null, error: null });
    const onProgress = (loaded: number, total: number) =>
      set((state) => (state.source === source ? { loaded, total } : {}));
    const result = await opening.run(() => getSession().openModel(source, onProgress, quantization));
    if (!result) return;
    if ('value' in result) set({ status: 'ready', info: result.value });
    else {
      set({
        status: 'failed',
        error: toErrorData(result.error, 'The model could not be opened.', 'Try another model.'),
      });
    }
  },

  async importFolder(files) {
    set({ importing: true, importError: null });
    try {
      return await getSession().importModel(files);
    } catch (cause) {
      set({ importError: toErrorData(cause, 'This folder could not be read as a model.') });
      return null;
    } finally {
      set({ importing: false });
    }
  },
}));
