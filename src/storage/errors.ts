/** Maps IndexedDB errors to errors that say what to do. */
import { TabtuneError } from '../base/errors';

const RELOAD = 'Reload the page. If it happens again, close other Tabtune tabs and restart the browser.';

/** Maps anything thrown while `doing` (e.g. "saving a checkpoint") to `storage_full` or `storage`. */
export function storageError(cause: unknown, doing: string): TabtuneError {
  if (cause instanceof TabtuneError) return cause;
  // An aborted transaction may reject with null. A DOMException is an Error in browsers, and looks like one in tests.
  const { name = 'Error', message = '' } = (cause ?? {}) as { name?: string; message?: string };
  const details = `${doing}: ${name}: ${message}`;
  switch (name) {
    case 'QuotaExceededError':
      return new TabtuneError({
        code: 'storage_full',
        message: `There is no space left in this browser for ${doing}.`,
        action: 'Delete runs, models or datasets you no longer need, or free up disk space, then try again.',
        details,
      });
    case 'VersionError':
      return new TabtuneError({
        code: 'storage',
        message: 'The data in this browser was written by a newer version of Tabtune.',
        action: 'Reload the page to get the newest version, or erase the stored data to start over.',
        details,
      });
    case 'SecurityError':
      return new TabtuneError({
        code: 'storage',
        message: 'This browser does not allow this page to store data.',
        action: 'Allow cookies and site data for this page, and do not use a private window.',
        details,
      });
    default:
      return new TabtuneError({
        code: 'storage',
        message: `The browser’s storage failed while ${doing}.`,
        action: RELOAD,
        details,
      });
  }
}

/** A request that the browser neither grants nor refuses. */
export function silentStorage(doing: string, milliseconds: number): TabtuneError {
  return new TabtuneError({
    code: 'storage',
    message: `The browser’s storage has not answered for ${milliseconds / 1000} seconds while ${doing}.`,
    action: RELOAD,
    details: doing,
  });
}

/** Stored bytes are missing or differ from what was written. */
export function damaged(what: string, action: string, details: string): TabtuneError {
  return new TabtuneError({
    code: 'storage',
    message: `${what} is damaged in the browser’s storage.`,
    where: what,
    action,
    details,
  });
}
