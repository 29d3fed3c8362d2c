/**
 * Checkpoints: what a run needs to go on, bit for bit. Tensors lie one behind the other as float32 in chunks, under a
 * new blob id; then one strict transaction makes their manifest the current one of its slot and deletes what it pushed
 * out. A crash at any moment leaves the old checkpoint or the new one, whole.
 */
import { get } from 'idb-keyval';
import { TabtuneError } from '../base/errors';
import { type BlobManifest, BlobReader, deleteBlobs, discardBlobs, writeBlob, writing } from './chunks';
import { guarded, store, transact } from './database';
import { damaged } from './errors';
import type { CheckpointInfo, CheckpointTensors } from './types';

/** `latest` to resume from, `best` (lowest validation loss) to keep. */
export type CheckpointSlot = 'latest' | 'best';

/** Versions kept: should the newest turn out damaged, a run resumes a little earlier instead of from the start. */
const KEEP = { latest: 2, best: 1 } as const;

interface Version extends BlobManifest {
  info: CheckpointInfo;
  /** In the order of their bytes. */
  tensors: { name: string; shape: number[] }[];
}

interface CheckpointRecord {
  /** Newest first. */
  versions: Version[];
}

export interface LoadedCheckpoint {
  info: CheckpointInfo;
  tensors: CheckpointTensors;
  /** True when the newest one was damaged and an older one stands in. */
  recovered: boolean;
}

const elements = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Saves a checkpoint as the newest of its slot. Throws `storage_full`; then the one before is still there. */
export async function saveCheckpoint(
  info: CheckpointInfo,
  tensors: CheckpointTensors,
  slot: CheckpointSlot,
): Promise<void> {
  for (const [name, { shape, data }] of tensors) {
    if (elements(shape) === data.length) continue;
    throw new TabtuneError({
      code: 'internal',
      message: `The tensor ${name} of the checkpoint does not have the size of its shape.`,
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
 * The newest checkpoint of a slot whose every byte is as it was written; null when none was ever saved. Throws `storage`
 * when all that there are are damaged.
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

/** Without this the next save would push out the sound version and keep the damaged one behind the new. */
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

/** The newest checkpoint's description, without its tensors; null when there is none. */
export async function checkpointInfo(runId: string, slot: CheckpointSlot): Promise<CheckpointInfo | null> {
  const record = await guarded('reading the checkpoint', () =>
    get<CheckpointRecord>([runId, slot], store('checkpoints')),
  );
  return record?.versions[0]?.info ?? null;
}
