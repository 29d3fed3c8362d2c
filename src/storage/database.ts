/**
 * The one IndexedDB database, `tabtune`. Its name and stores are for ever: people's runs are in it. A change of layout
 * raises VERSION and adds a step to `upgrade`; a database of a higher version than this code knows is refused by
 * IndexedDB itself (VersionError), so that an old tab never writes into a new layout.
 *
 *   runs         id             → RunRecord
 *   metrics      [runId, seq]   → MetricsRow[]      a batch a record
 *   samples      [runId, seq]   → SampleAnswer[]
 *   files        id             → FileRecord        manifest of a stored file
 *   checkpoints  [runId, slot]  → CheckpointRecord  manifests, newest first
 *   chunks       [blob, index]  → ArrayBuffer       bytes that a manifest names
 *
 * Simple reads and writes go through idb-keyval, with `store()` in place of its own one-store databases, because a
 * manifest and the chunks it replaces must change in one transaction.
 */
import { type IDBPDatabase, type IDBPTransaction, openDB, unwrap } from 'idb';
import type { UseStore } from 'idb-keyval';
import { TabtuneError } from '../base/errors';
import { storageError } from './errors';

export const DATABASE = 'tabtune';
export const VERSION = 1;
export const STORES = ['runs', 'metrics', 'samples', 'files', 'checkpoints', 'chunks'] as const;
export type StoreName = (typeof STORES)[number];

export type Database = IDBPDatabase<unknown>;
export type WriteTransaction = IDBPTransaction<unknown, StoreName[], 'readwrite'>;

let opening: Promise<Database> | null = null;

/** The open database; opened on first use, and again after the browser or a newer tab has closed it. */
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
  // Hashes and locks, like WebGPU itself, exist only in secure contexts.
  if (typeof indexedDB === 'undefined' || !globalThis.crypto?.subtle) {
    throw new TabtuneError({
      code: 'storage',
      message: 'This browser does not let the page keep data.',
      action: 'Open the page over https or from localhost, outside private browsing.',
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
            message: 'Another tab with an older Tabtune keeps the stored data open.',
            action: 'Close the other Tabtune tabs, then reload this one.',
          }),
        );
      },
      // A newer tab wants to upgrade, or to delete everything: it must not wait for this one.
      blocking: () => closeDatabase(),
      terminated: () => {
        opening = null;
      },
    });
    // When it opens after all, after the error, nobody is left to close it.
    blocked.catch(() => opened.then((db) => db.close()).catch(() => {}));
    return await Promise.race([opened, blocked]);
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

/** A store in the form that idb-keyval's functions take. */
export function store(name: StoreName): UseStore {
  return async (mode, callback) => {
    const begin = async () => unwrap(await openDatabase()).transaction(name, mode);
    let transaction: IDBTransaction;
    try {
      transaction = await begin();
    } catch (cause) {
      // The connection was closed between opening and use: once more with a new one.
      if ((cause as { name?: string }).name !== 'InvalidStateError') throw cause;
      opening = null;
      transaction = await begin();
    }
    return callback(transaction.objectStore(name));
  };
}

/** Runs `work`, mapping what it throws. `doing` completes "failed while …". */
export async function guarded<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw storageError(cause, doing);
  }
}

/**
 * One read-write transaction over several stores: all of it or nothing, also when `work` throws. `strict` waits until
 * the bytes are on the disk, not only with the operating system (the default of Chrome since 121).
 */
export function transact<T>(
  doing: string,
  stores: StoreName[],
  durability: 'strict' | 'relaxed',
  work: (transaction: WriteTransaction) => Promise<T>,
): Promise<T> {
  return guarded(doing, async () => {
    const transaction = (await openDatabase()).transaction(stores, 'readwrite', { durability });
    // Awaited below; the handler keeps an early abort from counting as unhandled.
    transaction.done.catch(() => {});
    let result: T;
    try {
      result = await work(transaction);
    } catch (cause) {
      try {
        transaction.abort();
      } catch {
        // Aborted already, which is what made the work fail.
      }
      throw cause;
    }
    await transaction.done;
    return result;
  });
}

/** Every key [id, …] of a store whose keys begin with `id`. An array sorts after every string and number. */
export function keysOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}
