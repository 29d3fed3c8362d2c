/** Pushes files to the Hub in a worker: hashing gigabytes takes a thread of its own. */
import type { HubSettings } from '../../hub/descriptions';
import { pushFiles } from '../../hub/push/push';
import { type Put, put } from '../../hub/push/put';
import type { PartialUpload, Pushed, PushOrder, PushProgress, Remembered } from '../../hub/push/types';
import { seldom } from '../seldom';

export interface UploadApi {
  /**
   * Sends the files of an order and commits them. `partials` are uploads that have begun; `remember` hears of what makes the next attempt
   * shorter. Rejects with `cancelled` when the signal fires.
   */
  push(
    order: PushOrder,
    settings: HubSettings,
    partials: PartialUpload[],
    onProgress: (progress: PushProgress) => void,
    remember: (what: Remembered) => void,
    signal: AbortSignal,
  ): Promise<Pushed>;
}

export interface UploadParts {
  put?: Put;
  backOff?: readonly number[];
}

export function createUploadService(parts: UploadParts = {}): UploadApi {
  return {
    async push(order, settings, partials, onProgress, remember, signal) {
      const isTurn = (now: PushProgress, before: PushProgress) =>
        now.phase !== before.phase || now.file !== before.file;
      const progress = seldom(onProgress, isTurn);
      const { backOff } = parts;
      try {
        return await pushFiles({
          ...{ order, settings, partials, remember, signal, backOff },
          ...{ put: parts.put ?? put, onProgress: progress.tell },
        });
      } finally {
        progress.end();
      }
    },
  };
}
