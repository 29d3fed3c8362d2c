/**
 * The IndexedDB database, `tabtune`. Its name and stores must never change, because people's runs are in it. A change
 * of layout raises VERSION and adds a step to `upgrade`. IndexedDB itself refuses a database with a higher version than
 * this code knows (VersionError), so an old tab never writes into a new layout.
 *
 *   runs         id             → RunRecord
 *   metrics      [runId, seq]   → MetricsRow[]      one batch per record
 *   samples      [runId, seq]   → SampleAnswer[]
 *   files        id             → FileRecord        manifest of a stored file
 *   checkpoints  [runId, slot]  → CheckpointRecord  manifests, newest first
 *   chunks       [blob, index]  → ArrayBuffer       bytes listed in a manifest
 *
 * Simple reads and writes use idb-keyval, but with `store()` instead of its one-store databases, because a manifest and
 * the chunks it replaces must change in one transaction.
 */
import { type IDBPDatabase, type IDBPTransaction, openDB, unwrap } from 'idb';
import type { UseStore } from 'idb-keyval';
import { TabtuneError } from '../base/errors';
import { within } from '../base/patience';
import { silentStorage, storageError } from './errors';

export const DATABASE = 'tabtune';
export const VERSION = 1;
export const STORES = ['runs', 'metrics', 'samples', 'files', 'checkpoints', 'chunks'] as const;
export type StoreName = (typeof STORES)[number];

export type Database = IDBPDatabase<unknown>;
export type WriteTransaction = IDBPTransaction<unknown, StoreName[], 'readwrite'>;

/** Browsers answer in milliseconds; on a busy disk a large write may take seconds. */
const OPEN_PATIENCE_MS = 30_000;
const PATIENCE_MS = 120_000;

let opening: Promise<Database> | null = null;

/** The open database. It is opened on first use, and again after the browser or a newer tab closed it. */
export function openDatabase(): Promise<Database> {
  if (opening) return opening;
  const attempt = connect();
  opening = attempt;
  attempt.catch(() => {
    if (opening === attempt) opening = null;
  });
  return attempt;
}

async function connect(): Promise<Database> {
  // Like WebGPU, hashing and locks exist only in secure contexts.
  if (typeof indexedDB === 'undefined' || !globalThis.crypto?.subtle) {
    throw new TabtuneError({
      code: 'storage',
      message: 'This browser does not allow this page to store data.',
      action: 'Open the page over https or from localhost, and not in a private window.',
    });
  }
  let onBlocked: (error: TabtuneError) => void = () => {};
  const blocked = new Promise<never>((_, reject) => {
    onBlocked = reject;
  });
  try {
    const opened = openDB(DATABASE, VERSION, {
      upgrade(db, oldVersion) {
        if (oldVersion < 1) for (const name of STORES) db.createObjectStore(name);
      },
      blocked() {
        onBlocked(
          new TabtuneError({
            code: 'storage',
            message: 'Another tab with an older version of Tabtune is using the stored data.',
            action: 'Close the other Tabtune tabs, then reload this one.',
          }),
        );
      },
      // A newer tab that upgrades, or a tab that deletes everything, must not wait for this one.
      blocking: () => closeDatabase(),
      terminated: () => {
        opening = null;
      },
    });
    // If it opens after this error, nothing else would close it.
    blocked.catch(() => opened.then((db) => db.close()).catch(() => {}));
    const silent = (): TabtuneError => {
      // If it opens after all, nothing else would close it.
      void opened.then((db) => db.close()).catch(() => {});
      return silentStorage('opening the stored data', OPEN_PATIENCE_MS);
    };
    return await within(Promise.race([opened, blocked]), OPEN_PATIENCE_MS, silent);
  } catch (cause) {
    throw storageError(cause, 'opening the stored data');
  }
}

/** Closes the connection; the next use opens it again. */
export function closeDatabase(): void {
  const closing = opening;
  opening = null;
  closing?.then((db) => db.close()).catch(() => {});
}

/** A store in the form that idb-keyval expects. */
export function store(name: StoreName): UseStore {
  return async (mode, callback) => {
    const begin = async () => unwrap(await openDatabase()).transaction(name, mode);
    let transaction: IDBTransaction;
    try {
      transaction = await begin();
    } catch (cause) {
      // The connection was closed between opening and use. Retry with a new one.
      if ((cause as { name?: string }).name !== 'InvalidStateError') throw cause;
      opening = null;
      transaction = await begin();
    }
    return callback(transaction.objectStore(name));
  };
}

/** Runs `work`, maps its errors, and gives it an end. `doing` completes "failed while …". */
export async function guarded<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await within(work(), PATIENCE_MS, () => silentStorage(doing, PATIENCE_MS));
  } catch (cause) {
    throw storageError(cause, doing);
  }
}

/**
 * One atomic read-write transaction over several stores, rolled back if `work` throws. `strict` waits until the bytes
 * are on disk, not just handed to the operating system (Chrome's default since version 121).
 */
export function transact<T>(
  doing: string,
  stores: StoreName[],
  durability: 'strict' | 'relaxed',
  work: (transaction: WriteTransaction) => Promise<T>,
): Promise<T> {
  return guarded(doing, async () => {
    const transaction = (await openDatabase()).transaction(stores, 'readwrite', { durability });
    // Awaited below. The handler keeps an early abort from being reported as unhandled.
    transaction.done.catch(() => {});
    let result: T;
    try {
      result = await work(transaction);
    } catch (cause) {
      try {
        transaction.abort();
      } catch {
        // Already aborted, which is why the work failed.
      }
      throw cause;
    }
    await transaction.done;
    return result;
  });
}

/** All keys [id, …] of a store. An array sorts after every string and number. */
export function keysOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}
