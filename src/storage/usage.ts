/** How much is stored, whether the browser may evict it, and how to delete it. */

import { deleteDB } from 'idb';
import { formatBytes } from '../base/bytes';
import { TabtuneError } from '../base/errors';
import type { BlobManifest } from './chunks';
import { closeDatabase, DATABASE, guarded, openDatabase, STORES, transact } from './database';
import { forgetChoices } from './kernel-choices';
import { originalId } from './original-id';
import type { RunRecord, StoredFile } from './types';

export interface StoredItem {
  /** `dataset/NAME`, `model/NAME`, `prompts/NAME`, `draft/NAME`, `votes/NAME` or `run/ID`. */
  id: string;
  kind: 'dataset' | 'model' | 'run' | 'prompts' | 'draft' | 'votes';
  name: string;
  bytes: number;
  createdAt: number;
}

export interface StorageUsage {
  /** Bytes used by this site, and its quota; 0 if the browser does not say. */
  usage: number;
  quota: number;
  /** True if the browser has promised not to evict the data. */
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
 * Asks the browser to keep the data when disk space runs low; otherwise all data of the site may be evicted. Chrome
 * decides without asking the user. Call this from the page (workers cannot ask) when something is first saved.
 */
export async function requestPersistence(): Promise<boolean> {
  try {
    return (await isPersisted()) || ((await globalThis.navigator?.storage?.persist?.()) ?? false);
  } catch {
    return false;
  }
}

/** Throws `storage_full` if the browser's quota shows that `bytes` more will not fit. */
export async function ensureSpace(bytes: number): Promise<void> {
  const { usage = 0, quota = 0 } = await estimate();
  if (quota === 0 || usage + bytes <= quota) return;
  throw new TabtuneError({
    code: 'storage_full',
    message: `This needs ${formatBytes(bytes)}, but the browser has only ${formatBytes(Math.max(0, quota - usage))} left for this page.`,
    action: 'Delete runs, models or datasets you no longer need, or free up disk space, then try again.',
    details: `usage ${usage}, quota ${quota}`,
  });
}

/** Lists everything stored. A model folder is one item, and a run's size is that of its checkpoints. */
function storedItems(): Promise<StoredItem[]> {
  return guarded('listing the stored data', async () => {
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
      const [folder, name] = id.split('/') as [StoredItem['kind'] | 'original', string];
      const kind = folder === 'original' ? 'dataset' : folder;
      // A dataset's name may contain a slash, and what it was before edits belongs to it. A model is the folder of its files.
      const key = kind === 'model' ? `model/${name}` : folder === 'original' ? originalId(id, 'dataset') : id;
      const item = items.get(key);
      if (item) {
        item.bytes += size;
        item.createdAt = Math.min(item.createdAt, createdAt);
      } else {
        items.set(key, { id: key, kind, name: key.slice(kind.length + 1), bytes: size, createdAt });
      }
    }
    const bytes = new Map<string, number>();
    // The two slots of a run may list the same bytes.
    const counted = new Set<string>();
    for (const [i, [runId]] of keys.entries()) {
      for (const { blob, size } of checkpoints[i]!.versions) {
        if (!counted.has(blob)) bytes.set(runId, (bytes.get(runId) ?? 0) + size);
        counted.add(blob);
      }
    }
    for (const { id, name, createdAt } of runs) {
      items.set(`run/${id}`, { id: `run/${id}`, kind: 'run', name, bytes: bytes.get(id) ?? 0, createdAt });
    }
    return [...items.values()].sort((a, b) => b.createdAt - a.createdAt);
  });
}

/** People's data, and what was timed on their cards. */
export async function eraseEverything(): Promise<void> {
  await eraseDatabase();
  await forgetChoices();
}

/**
 * Deletes everything in the database. Clears the stores, which works while other tabs are open. A database that cannot
 * be opened (e.g. from a newer version) is deleted completely.
 */
async function eraseDatabase(): Promise<void> {
  try {
    await openDatabase();
  } catch {
    closeDatabase();
    await guarded('erasing the stored data', () => deleteWhole());
    return;
  }
  await transact('erasing the stored data', [...STORES], 'strict', async (transaction) => {
    await Promise.all(STORES.map((name) => transaction.objectStore(name).clear()));
  });
}

function deleteWhole(): Promise<void> {
  return new Promise((resolve, reject) => {
    const blocked = () =>
      reject(
        new TabtuneError({
          code: 'storage',
          message: 'Another Tabtune tab is using the stored data.',
          action: 'Close the other Tabtune tabs, then erase the data again.',
        }),
      );
    deleteDB(DATABASE, { blocked }).then(resolve, reject);
  });
}
