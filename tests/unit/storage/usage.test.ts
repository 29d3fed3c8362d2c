import { describe, expect, it, vi } from 'vitest';
import { saveCheckpoint } from '../../../src/storage/checkpoints';
import { STORES } from '../../../src/storage/database';
import { putFile, putFolder } from '../../../src/storage/files';
import { appendMetrics, saveRun } from '../../../src/storage/runs';
import { eraseEverything, requestPersistence, storageUsage } from '../../../src/storage/usage';
import { bytesOf, countRecords, freshDatabase, runOf } from './helpers';

freshDatabase();

async function fill() {
  await putFile('dataset/a.csv', bytesOf(100));
  await putFolder('model/m', [
    { name: 'config.json', source: bytesOf(10) },
    { name: 'model.safetensors', source: bytesOf(20) },
  ]);
  await saveRun(runOf('r', { name: 'pirate', createdAt: 5 }));
  const tensors = new Map([['w', { shape: [2], data: Float32Array.of(1, 2) }]]);
  // Three checkpoints; the slots share the bytes of the first.
  for (const [step, ...slots] of [
    [1, 'latest', 'best'],
    [2, 'latest'],
    [3, 'latest'],
  ] as const) {
    await saveCheckpoint({ runId: 'r', step, state: {}, createdAt: 1 }, tensors, ...slots);
  }
  await appendMetrics('r', [{ kind: 'eval', step: 1, epoch: 0, eval_loss: 1, perplexity: 3, best: true, seconds: 1 }]);
}

describe('usage', () => {
  it('lists datasets, models and runs with their sizes', async () => {
    await fill();
    const { items, usage, quota, persisted } = await storageUsage();
    expect({ usage, quota, persisted }).toEqual({ usage: 0, quota: 0, persisted: false });
    expect(items.map(({ id, kind, name, bytes }) => [id, kind, name, bytes]).sort()).toEqual([
      ['dataset/a.csv', 'dataset', 'a.csv', 100],
      ['model/m', 'model', 'm', 30],
      ['run/r', 'run', 'pirate', 24],
    ]);
    expect(items.at(-1)?.id).toBe('run/r');
  });

  it('asks the browser for usage, quota and persistence', async () => {
    const persist = vi.fn(async () => true);
    const estimate = async () => ({ usage: 5, quota: 10 });
    vi.stubGlobal('navigator', { storage: { estimate, persisted: async () => false, persist } });
    expect(await storageUsage()).toMatchObject({ usage: 5, quota: 10, persisted: false });
    expect(await requestPersistence()).toBe(true);
    expect(persist).toHaveBeenCalledOnce();
  });

  it('copes with a browser that rejects every question', async () => {
    const no = () => Promise.reject(new TypeError('no'));
    vi.stubGlobal('navigator', { storage: { estimate: no, persisted: no, persist: no } });
    expect(await storageUsage()).toEqual({ usage: 0, quota: 0, persisted: false, items: [] });
    expect(await requestPersistence()).toBe(false);
  });

  it('erases everything', async () => {
    await fill();
    await eraseEverything();
    for (const store of STORES) expect(await countRecords(store), store).toBe(0);
    await fill();
    expect((await storageUsage()).items).toHaveLength(3);
  });
});
