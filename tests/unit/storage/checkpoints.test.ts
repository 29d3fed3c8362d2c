import { describe, expect, it, vi } from 'vitest';
import { type CheckpointSlot, checkpointInfo, loadCheckpoint, saveCheckpoint } from '../../../src/storage/checkpoints';
import { collectGarbage, writeBlob } from '../../../src/storage/chunks';
import { openDatabase } from '../../../src/storage/database';
import type { CheckpointTensors } from '../../../src/storage/types';
import { countRecords, fillDisk, freshDatabase } from './helpers';

freshDatabase();

const info = (step: number) => ({ runId: 'run', step, state: { best: 1.5, patience: 2 }, createdAt: step });
const tensors = (step: number): CheckpointTensors =>
  new Map([
    ['adapter/q_proj.lora_A', { shape: [2, 3], data: Float32Array.from({ length: 6 }, (_, i) => i + step / 8) }],
    ['adam_m/empty', { shape: [0], data: new Float32Array() }],
    ['adam_v/scalar', { shape: [], data: Float32Array.of(-step) }],
  ]);
const save = (step: number, ...slots: CheckpointSlot[]) =>
  saveCheckpoint(info(step), tensors(step), ...(slots.length > 0 ? slots : (['latest'] as const)));

/** Flips a byte of the n-th newest version of a slot. */
async function damage(n: number, slot: CheckpointSlot = 'latest') {
  const db = await openDatabase();
  const { versions } = await db.get('checkpoints', ['run', slot]);
  const bytes: ArrayBuffer = await db.get('chunks', [versions[n].blob, 0]);
  new Uint8Array(bytes)[3]! ^= 1;
  await db.put('chunks', bytes, [versions[n].blob, 0]);
}

describe('checkpoints', () => {
  it('load bit for bit as they were saved', async () => {
    const odd = Float32Array.from(Uint32Array.of(0x7fc00001, 0x00000001, 0x80000000), (_, i) => i);
    new Uint32Array(odd.buffer).set([0x7fc00001, 0x00000001, 0x80000000]);
    await saveCheckpoint(info(1), new Map([['x', { shape: [3], data: odd.subarray(0, 3) }]]), 'latest');
    const { tensors: loaded } = (await loadCheckpoint('run', 'latest'))!;
    expect([...new Uint32Array(loaded.get('x')!.data.buffer)]).toEqual([0x7fc00001, 0x00000001, 0x80000000]);
  });

  it('save only the view of a larger buffer', async () => {
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    await saveCheckpoint(info(1), new Map([['x', { shape: [2], data }]]), 'best');
    expect([...(await loadCheckpoint('run', 'best'))!.tensors.get('x')!.data]).toEqual([1, 2]);
  });

  it('are kept for the two latest and the best', async () => {
    await save(1, 'latest', 'best');
    await save(2);
    await save(3);
    expect(await loadCheckpoint('run', 'latest')).toEqual({ info: info(3), tensors: tensors(3), recovered: false });
    expect(await loadCheckpoint('run', 'best')).toEqual({ info: info(1), tensors: tensors(1), recovered: false });
    expect(await checkpointInfo('run', 'latest')).toEqual(info(3));
    expect(await countRecords('chunks')).toBe(3);
    expect(await collectGarbage()).toBe(0);
  });

  it('share the bytes of a checkpoint that is both', async () => {
    await save(1, 'latest', 'best');
    expect(await countRecords('chunks')).toBe(1);
    await save(2, 'latest', 'best');
    // Step 1 is where a run resumes if step 2 is damaged, and then it is its best again.
    expect(await countRecords('chunks')).toBe(2);
    await save(3);
    await save(4);
    expect((await loadCheckpoint('run', 'best'))!.info.step).toBe(2);
    expect(await countRecords('chunks')).toBe(3);
  });

  it.each([
    ['bytes', 'chunks', 0],
    ['manifest', 'checkpoints', 0],
    ['second slot', 'checkpoints', 1],
  ])('are written to both slots or to none if the disk is full at the %s', async (_name, store, after) => {
    await save(1, 'latest', 'best');
    fillDisk([store], after);
    await expect(save(2, 'latest', 'best')).rejects.toMatchObject({ code: 'storage_full' });
    vi.restoreAllMocks();
    for (const slot of ['latest', 'best'] as const) {
      expect(await loadCheckpoint('run', slot)).toEqual({ info: info(1), tensors: tensors(1), recovered: false });
    }
  });

  it('that a run had reached before it resumed from a damaged one are dropped when it saves again', async () => {
    await save(2, 'latest', 'best');
    await save(4, 'latest', 'best');
    await damage(0);
    expect((await loadCheckpoint('run', 'latest'))!.info.step).toBe(2);
    await save(3);
    // Stopped here, the run's best step is 2, and not the damaged one that lay ahead.
    expect((await loadCheckpoint('run', 'best'))!.info.step).toBe(2);
    expect((await loadCheckpoint('run', 'latest'))!.info.step).toBe(3);
  });

  it('of the best step stay when the run saves the same step again, at its end or in a pause', async () => {
    await save(2, 'latest', 'best');
    await save(4, 'latest', 'best');
    await save(4);
    expect((await loadCheckpoint('run', 'best'))!.info.step).toBe(4);
    expect((await loadCheckpoint('run', 'latest'))!.info.step).toBe(4);
    // The version before is still there to fall back to.
    await damage(0);
    expect((await loadCheckpoint('run', 'latest'))!.info.step).toBe(2);
  });

  it('of a best step that is damaged are not replaced by an earlier best step', async () => {
    await save(2, 'latest', 'best');
    await save(4, 'latest', 'best');
    await damage(0, 'best');
    await expect(loadCheckpoint('run', 'best')).rejects.toMatchObject({ code: 'storage' });
  });

  it('are null if never saved', async () => {
    expect(await loadCheckpoint('run', 'latest')).toBeNull();
    expect(await checkpointInfo('run', 'best')).toBeNull();
  });

  it('fall back to the previous one if damaged, and the next save keeps it', async () => {
    await save(1);
    await save(2);
    await damage(0);
    expect(await loadCheckpoint('run', 'latest')).toEqual({ info: info(1), tensors: tensors(1), recovered: true });
    expect(await countRecords('chunks')).toBe(1);
    await save(3);
    await damage(0);
    expect((await loadCheckpoint('run', 'latest'))!.info.step).toBe(1);
  });

  it('cannot be loaded if all are damaged', async () => {
    await save(1, 'best');
    await damage(0, 'best');
    await expect(loadCheckpoint('run', 'best')).rejects.toMatchObject({
      code: 'storage',
      action: 'Start the run again.',
      details: expect.stringContaining('sha256'),
    });
  });

  it.each([
    ['bytes', 'chunks'],
    ['manifest', 'checkpoints'],
  ])('survive a full disk while writing the %s', async (_name, store) => {
    await save(1);
    fillDisk([store]);
    await expect(save(2)).rejects.toMatchObject({ code: 'storage_full' });
    vi.restoreAllMocks();
    expect(await loadCheckpoint('run', 'latest')).toEqual({ info: info(1), tensors: tensors(1), recovered: false });
    expect(await countRecords('chunks')).toBe(1);
    await save(3);
    expect((await loadCheckpoint('run', 'latest'))!.info.step).toBe(3);
  });

  it('survive a crash between bytes and manifest', async () => {
    await save(1);
    // This is all that such a save leaves behind.
    await writeBlob([new Uint8Array(28)], { where: 'the checkpoint', code: 'internal' });
    expect((await loadCheckpoint('run', 'latest'))!.info.step).toBe(1);
    expect(await collectGarbage()).toBe(1);
    expect(await loadCheckpoint('run', 'latest')).toEqual({ info: info(1), tensors: tensors(1), recovered: false });
  });

  it('refuse a tensor whose data does not match its shape', async () => {
    const wrong: CheckpointTensors = new Map([['x', { shape: [3], data: new Float32Array(2) }]]);
    await expect(saveCheckpoint(info(1), wrong, 'latest')).rejects.toMatchObject({ code: 'internal' });
  });
});
