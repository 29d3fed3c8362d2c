/**
 * Checkpoints: everything a run needs to resume bit for bit. Tensors are concatenated as float32 and written in chunks
 * under a new blob id. Then one strict transaction makes their manifest the current one of its slot and deletes the
 * version it replaces. A crash at any moment leaves either the old checkpoint or the new one intact.
 */
import { get } from 'idb-keyval';
import { TabtuneError } from '../base/errors';
import { type BlobManifest, BlobReader, deleteBlobs, discardBlobs, writeBlob, writing } from './chunks';
import { guarded, store, transact } from './database';
import { damaged } from './errors';
import type { CheckpointInfo, CheckpointTensors } from './types';

/** `latest` is for resuming; `best` has the lowest validation loss. */
export type CheckpointSlot = 'latest' | 'best';

/** Versions kept. If the newest is damaged, a run resumes a little earlier instead of from the start. */
const KEEP = { latest: 2, best: 1 } as const;

interface Version extends BlobManifest {
  info: CheckpointInfo;
  /** In byte order. */
  tensors: { name: string; shape: number[] }[];
}

interface CheckpointRecord {
  /** Newest first. */
  versions: Version[];
}

export interface LoadedCheckpoint {
  info: CheckpointInfo;
  tensors: CheckpointTensors;
  /** True if the newest version was damaged and this is an older one. */
  recovered: boolean;
}

const elements = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Saves a checkpoint as the newest in its slot. Throws `storage_full`, leaving the previous one intact. */
export async function saveCheckpoint(
  info: CheckpointInfo,
  tensors: CheckpointTensors,
  slot: CheckpointSlot,
): Promise<void> {
  for (const [name, { shape, data }] of tensors) {
    if (elements(shape) === data.length) continue;
    throw new TabtuneError({
      code: 'internal',
      message: `The size of the tensor ${name} in the checkpoint does not match its shape.`,
      details: `[${shape}] and ${data.length} values`,
    });
  }
  const pieces = [...tensors.values()].map(
    ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength) as Uint8Array,
  );
  await writing(async () => {
    const manifest = await writeBlob(pieces, { where: 'the checkpoint', code: 'internal' });
    const table = [...tensors].map(([name, { shape }]) => ({ name, shape: [...shape] }));
    try {
      await transact('saving the checkpoint', ['checkpoints', 'chunks'], 'strict', async (transaction) => {
        const records = transaction.objectStore('checkpoints');
        const old: CheckpointRecord | undefined = await records.get([info.runId, slot]);
        const versions: Version[] = [{ ...manifest, info, tensors: table }, ...(old?.versions ?? [])];
        await records.put({ versions: versions.slice(0, KEEP[slot]) }, [info.runId, slot]);
        await deleteBlobs(transaction, versions.slice(KEEP[slot]));
      });
    } catch (cause) {
      await discardBlobs([manifest]);
      throw cause;
    }
  });
}

/**
 * Loads the newest undamaged checkpoint of a slot; null if none was ever saved. Throws `storage` if all versions are
 * damaged.
 */
export async function loadCheckpoint(runId: string, slot: CheckpointSlot): Promise<LoadedCheckpoint | null> {
  const record = await guarded('reading the checkpoint', () =>
    get<CheckpointRecord>([runId, slot], store('checkpoints')),
  );
  if (!record) return null;
  let problem: TabtuneError | null = null;
  for (const [i, version] of record.versions.entries()) {
    try {
      const tensors = await readTensors(version);
      if (i > 0) await dropDamaged(runId, slot, record.versions.slice(0, i));
      return { info: version.info, tensors, recovered: i > 0 };
    } catch (cause) {
      if (!(cause instanceof TabtuneError)) throw cause;
      problem = cause;
    }
  }
  throw damaged('The checkpoint', 'Start the run again.', problem?.details ?? 'no versions');
}

async function readTensors(version: Version): Promise<CheckpointTensors> {
  const reader = new BlobReader(version, 'The checkpoint', 'Start the run again.');
  const tensors: CheckpointTensors = new Map();
  let position = 0;
  for (const { name, shape } of version.tensors) {
    const end = position + 4 * elements(shape);
    tensors.set(name, { shape, data: new Float32Array(await reader.read(position, end)) });
    position = end;
  }
  if (position !== version.size) {
    throw damaged('The checkpoint', 'Start the run again.', `tensors need ${position} bytes of ${version.size}`);
  }
  return tensors;
}

/** Otherwise the next save would drop the intact version and keep the damaged one. */
async function dropDamaged(runId: string, slot: CheckpointSlot, bad: readonly Version[]): Promise<void> {
  const blobs = new Set(bad.map(({ blob }) => blob));
  await transact('repairing the checkpoint', ['checkpoints', 'chunks'], 'strict', async (transaction) => {
    const records = transaction.objectStore('checkpoints');
    const record: CheckpointRecord | undefined = await records.get([runId, slot]);
    if (!record) return;
    await records.put({ versions: record.versions.filter(({ blob }) => !blobs.has(blob)) }, [runId, slot]);
    await deleteBlobs(transaction, bad);
  });
}

/** Describes the newest checkpoint without reading its tensors; null if there is none. */
export async function checkpointInfo(runId: string, slot: CheckpointSlot): Promise<CheckpointInfo | null> {
  const record = await guarded('reading the checkpoint', () =>
    get<CheckpointRecord>([runId, slot], store('checkpoints')),
  );
  return record?.versions[0]?.info ?? null;
}
