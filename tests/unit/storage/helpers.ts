import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, vi } from 'vitest';
import { resolveRecipe } from '../../../src/recipe/defaults';
import { closeDatabase, openDatabase } from '../../../src/storage/database';
import type { RunRecord } from '../../../src/storage/types';

/** Gives every test an empty database. */
export function freshDatabase(): void {
  beforeEach(() => {
    closeDatabase();
    globalThis.indexedDB = new IDBFactory();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    closeDatabase();
  });
}

/** Simulates a full disk: after `after` successful writes, every write to one of `stores` fails. */
export function fillDisk(stores: string[], after = 0, name = 'QuotaExceededError'): void {
  const put = IDBObjectStore.prototype.put;
  let left = after;
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...args) {
    if (stores.includes(this.name) && left-- <= 0) throw new DOMException('The disk is full', name);
    return put.apply(this, args);
  });
}

/** Web Locks held by other tabs. */
export function holdLocks(...names: string[]): void {
  vi.stubGlobal('navigator', {
    locks: {
      query: async () => ({ held: names.map((name) => ({ name, mode: 'exclusive' })), pending: [] }),
      request: async (name: string, options: { ifAvailable?: boolean }, work: (lock: unknown) => unknown) =>
        work(options.ifAvailable && names.includes(name) ? null : { name }),
    },
  });
}

export async function countRecords(store: string): Promise<number> {
  return (await openDatabase()).count(store);
}

/** Deterministic bytes whose period does not divide the chunk size. */
export function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8) * 13 + seed) & 0xff;
  return bytes;
}

export function runOf(id: string, change: Partial<RunRecord> = {}): RunRecord {
  return {
    id,
    name: id,
    createdAt: 1,
    updatedAt: 1,
    recipe: resolveRecipe({ version: 1, name: id }),
    status: 'running',
    step: 0,
    totalSteps: 10,
    trainableParameters: 1,
    totalParameters: 2,
    initialEvalLoss: null,
    bestEvalLoss: null,
    bestStep: null,
    finalLoss: null,
    error: null,
    ...change,
  };
}
