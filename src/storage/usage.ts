/** How much is stored, how safe it is there, and getting rid of it. */
import { deleteDB } from 'idb';
import { TabtuneError } from '../base/errors';
import type { BlobManifest } from './chunks';
import { closeDatabase, DATABASE, guarded, openDatabase, STORES, transact } from './database';
import type { RunRecord, StoredFile } from './types';

export interface StoredItem {
  /** `dataset/NAME`, `model/NAME` or `run/ID`. */
  id: string;
  kind: 'dataset' | 'model' | 'run';
  name: string;
  bytes: number;
  createdAt: number;
}

export interface StorageUsage {
  /** Bytes used by this site, and the most it may use; 0 where the browser does not say. */
  usage: number;
  quota: number;
  /** True when the browser promised not to evict the data on its own. */
  persisted: boolean;
  /** Newest first. */
  items: StoredItem[];
}

export async function storageUsage(): Promise<StorageUsage> {
  const [{ usage = 0, quota = 0 }, persisted, items] = await Promise.all([estimate(), isPersisted(), storedItems()]);
  return { usage, quota, persisted, items };
}

async function estimate(): Promise<StorageEstimate> {
  try {
    return (await globalThis.navigator?.storage?.estimate?.()) ?? {};
  } catch {
    return {};
  }
}

async function isPersisted(): Promise<boolean> {
  try {
    return (await globalThis.navigator?.storage?.persisted?.()) ?? false;
  } catch {
    return false;
  }
}

/**
 * Asks the browser to keep the data when disk space runs low; without, the whole site may be evicted. Chrome decides by
 * itself, without a question. Call it from the page (workers cannot ask) when something is first saved.
 */
export async function requestPersistence(): Promise<boolean> {
  try {
    return (await isPersisted()) || ((await globalThis.navigator?.storage?.persist?.()) ?? false);
  } catch {
    return false;
  }
}

/** Throws `storage_full` before bytes are written that cannot fit, as far as the browser tells. */
export async function ensureSpace(bytes: number): Promise<void> {
  const { usage = 0, quota = 0 } = await estimate();
  if (quota === 0 || usage + bytes <= quota) return;
  const mb = (n: number) => `${Math.ceil(n / 1e6)} MB`;
  throw new TabtuneError({
    code: 'storage_full',
    message: `This needs ${mb(bytes)}, and the browser has ${mb(Math.max(0, quota - usage))} left for this page.`,
    action: 'Delete runs, models or datasets you no longer need, or free space on the disk, then try again.',
    details: `usage ${usage}, quota ${quota}`,
  });
}

/** Everything stored, a model folder as one item; a run's size is that of its checkpoints. */
function storedItems(): Promise<StoredItem[]> {
  return guarded('listing what is stored', async () => {
    const db = await openDatabase();
    const transaction = db.transaction(['files', 'runs', 'checkpoints']);
    const [files, runs, keys, checkpoints] = await Promise.all([
      transaction.objectStore('files').getAll() as Promise<StoredFile[]>,
      transaction.objectStore('runs').getAll() as Promise<RunRecord[]>,
      transaction.objectStore('checkpoints').getAllKeys() as Promise<[string, string][]>,
      transaction.objectStore('checkpoints').getAll() as Promise<{ versions: BlobManifest[] }[]>,
    ]);
    const items = new Map<string, StoredItem>();
    for (const { id, size, createdAt } of files) {
      const [kind, name] = id.split('/') as ['dataset' | 'model', string];
      // A dataset's name may hold a slash; a model is the folder that its files lie in.
      const key = kind === 'model' ? `model/${name}` : id;
      const item = items.get(key);
      if (item) {
        item.bytes += size;
        item.createdAt = Math.min(item.createdAt, createdAt);
      } else {
        items.set(key, { id: key, kind, name: key.slice(kind.length + 1), bytes: size, createdAt });
      }
    }
    const bytes = new Map<string, number>();
    for (const [i, [runId]] of keys.entries()) {
      const sum = checkpoints[i]!.versions.reduce((total, { size }) => total + size, 0);
      bytes.set(runId, (bytes.get(runId) ?? 0) + sum);
    }
    for (const { id, name, createdAt } of runs) {
      items.set(`run/${id}`, { id: `run/${id}`, kind: 'run', name, bytes: bytes.get(id) ?? 0, createdAt });
    }
    return [...items.values()].sort((a, b) => b.createdAt - a.createdAt);
  });
}

/**
 * Deletes all that Tabtune keeps in this browser. Clears the stores, which works while other tabs are open; a database
 * that cannot be opened (of a newer version, say) is deleted as a whole.
 */
export async function eraseEverything(): Promise<void> {
  try {
    await openDatabase();
  } catch {
    closeDatabase();
    await guarded('erasing', () => deleteWhole());
    return;
  }
  await transact('erasing', [...STORES], 'strict', async (transaction) => {
    await Promise.all(STORES.map((name) => transaction.objectStore(name).clear()));
  });
}

function deleteWhole(): Promise<void> {
  return new Promise((resolve, reject) => {
    const blocked = () =>
      reject(
        new TabtuneError({
          code: 'storage',
          message: 'Another Tabtune tab keeps the stored data open.',
          action: 'Close the other Tabtune tabs, then erase again.',
        }),
      );
    deleteDB(DATABASE, { blocked }).then(resolve, reject);
  });
}
