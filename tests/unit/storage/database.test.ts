import { openDB } from 'idb';
import { set } from 'idb-keyval';
import { describe, expect, it, vi } from 'vitest';
import { closeDatabase, DATABASE, openDatabase, STORES, store, transact, VERSION } from '../../../src/storage/database';
import { saveRun } from '../../../src/storage/runs';
import { startStorage } from '../../../src/storage/start';
import { eraseEverything } from '../../../src/storage/usage';
import { countRecords, fillDisk, freshDatabase, runOf } from './helpers';

freshDatabase();

describe('the database', () => {
  it('has its stores', async () => {
    expect([...(await openDatabase()).objectStoreNames].sort()).toEqual([...STORES].sort());
  });

  it('is refused if it has a newer version, but can be erased', async () => {
    const newer = await openDB(DATABASE, VERSION + 1, { upgrade: (db) => db.createObjectStore('later') });
    newer.close();
    await expect(startStorage()).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('newer version'),
      action: expect.stringContaining('Reload'),
    });
    await eraseEverything();
    expect(await startStorage()).toEqual([]);
    expect((await openDatabase()).version).toBe(VERSION);
  });

  it('fails at once if an older tab blocks an upgrade', async () => {
    // An old tab that ignores versionchange.
    const older = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(DATABASE, 1);
      request.onsuccess = () => resolve(request.result);
    });
    vi.spyOn(indexedDB, 'open').mockImplementation((name) =>
      IDBFactory.prototype.open.call(indexedDB, name, VERSION + 1),
    );
    await expect(openDatabase()).rejects.toMatchObject({
      code: 'storage',
      action: expect.stringContaining('Close the other'),
    });
    older.close();
  });

  it('that never opens is reported, and closed if it opens later', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const deaf = { addEventListener: () => {}, removeEventListener: () => {} };
    const pending = Object.assign(Object.create(IDBOpenDBRequest.prototype) as IDBOpenDBRequest, deaf);
    const open = vi.spyOn(indexedDB, 'open').mockReturnValueOnce(pending);
    const attempt = openDatabase();
    const refused = expect(attempt).rejects.toMatchObject({
      code: 'storage',
      message: 'The browser’s storage has not answered for 30 seconds while opening the stored data.',
    });
    await vi.advanceTimersByTimeAsync(30_000);
    await refused;
    vi.useRealTimers();
    open.mockRestore();
    expect((await openDatabase()).version).toBe(VERSION);
  });

  it('whose transaction never completes is reported', async () => {
    await openDatabase();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const writing = transact('saving the file', ['files'], 'relaxed', () => new Promise<never>(() => {}));
    const refused = expect(writing).rejects.toMatchObject({
      code: 'storage',
      message: 'The browser’s storage has not answered for 120 seconds while saving the file.',
    });
    await vi.advanceTimersByTimeAsync(120_000);
    await refused;
    vi.useRealTimers();
  });

  it('closes for a newer tab', async () => {
    await openDatabase();
    const newer = await openDB(DATABASE, VERSION + 1);
    expect(newer.version).toBe(VERSION + 1);
    newer.close();
  });

  it('reports that it cannot be opened, and tries again next time', async () => {
    const open = vi.spyOn(indexedDB, 'open').mockImplementationOnce(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    await expect(openDatabase()).rejects.toMatchObject({ code: 'storage', action: expect.stringContaining('cookies') });
    open.mockRestore();
    expect((await openDatabase()).version).toBe(VERSION);
  });

  it('reports that the browser has no IndexedDB', async () => {
    vi.stubGlobal('indexedDB', undefined);
    await expect(openDatabase()).rejects.toMatchObject({ code: 'storage' });
  });

  it('reopens after the browser closed the connection', async () => {
    (await openDatabase()).close();
    await set('a', runOf('a'), store('runs'));
    closeDatabase();
    expect(await countRecords('runs')).toBe(1);
  });

  it('rolls back a transaction whose work throws', async () => {
    const attempt = transact('testing', ['runs'], 'strict', async (transaction) => {
      await transaction.objectStore('runs').put(runOf('a'), 'a');
      throw new Error('no');
    });
    await expect(attempt).rejects.toMatchObject({ code: 'storage', details: expect.stringContaining('Error: no') });
    expect(await countRecords('runs')).toBe(0);
  });
});

describe('errors', () => {
  it.each([
    ['QuotaExceededError', 'storage_full', /Delete runs/],
    ['UnknownError', 'storage', /Reload/],
    ['DataError', 'storage', /Reload/],
    ['InvalidStateError', 'storage', /Reload/],
  ])('%s becomes %s', async (name, code, action) => {
    fillDisk(['runs'], 0, name);
    await expect(saveRun(runOf('a'))).rejects.toMatchObject({
      code,
      action: expect.stringMatching(action),
      details: expect.stringContaining(name),
    });
  });
});
