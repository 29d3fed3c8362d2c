/**
 * Checkpoints: everything a run needs to resume bit for bit. Tensors are concatenated as float32 and written in chunks
 * under a new blob id. Then one strict transaction makes their manifest the current one of its slots and deletes the
 * versions it replaces. A crash at any moment leaves either the old checkpoint or the new one intact, in both slots alike:
 * a best checkpoint that the latest one knows nothing of would be ahead of its run.
 */
import { get } from 'idb-keyval';
import { TabtuneError } from '../base/errors';
import { type BlobManifest, BlobReader, deleteBlobs, discardBlobs, writeBlob, writing } from './chunks';
import { guarded, store, transact, type WriteTransaction } from './database';
import { damaged } from './errors';
import type { CheckpointInfo, CheckpointTensors } from './types';

/** `latest` is for resuming; `best` has the lowest validation loss. */
export type CheckpointSlot = 'latest' | 'best';

/** Versions of `latest`. If the newest is damaged, a run resumes a little earlier instead of from the start. */
const KEEP = 2;

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

/**
 * Saves a checkpoint as the newest in all given slots at once, which share its bytes. Throws `storage_full`, leaving the
 * previous ones intact.
 */
export async function saveCheckpoint(
  info: CheckpointInfo,
  tensors: CheckpointTensors,
  ...slots: CheckpointSlot[]
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
    const version: Version = { ...manifest, info, tensors: table };
    try {
      await changeSlots('saving the checkpoint', info.runId, (old) => {
        // What a run that resumed earlier had reached before will be reached again.
        const upTo = (slot: CheckpointSlot, step: number) => old[slot].filter((kept) => kept.info.step <= step);
        const added = (slot: CheckpointSlot) =>
          slots.includes(slot) ? [version, ...upTo(slot, info.step - 1)] : upTo(slot, info.step);
        const latest = added('latest').slice(0, KEEP);
        return { latest, best: bestFor(latest, added('best')) };
      });
    } catch (cause) {
      await discardBlobs([manifest]);
      throw cause;
    }
  });
}

/** The newest best version, and the one before while the oldest latest version, where a run may resume, is before it. */
function bestFor(latest: Version[], best: Version[]): Version[] {
  const resumable = latest.at(-1)?.info.step ?? Number.POSITIVE_INFINITY;
  const reached = best.findIndex(({ info }) => info.step <= resumable);
  return reached === -1 ? best : best.slice(0, reached + 1);
}

type Slots = Record<CheckpointSlot, Version[]>;

/** Changes both slots of a run in one transaction, and deletes the bytes that neither lists any longer. */
function changeSlots(doing: string, runId: string, change: (old: Slots) => Slots): Promise<void> {
  return transact(doing, ['checkpoints', 'chunks'], 'strict', async (transaction) => {
    const records = transaction.objectStore('checkpoints');
    const read = async (slot: CheckpointSlot) =>
      ((await records.get([runId, slot])) as CheckpointRecord | undefined)?.versions ?? [];
    const old: Slots = { latest: await read('latest'), best: await read('best') };
    const next = change(old);
    for (const slot of ['latest', 'best'] as const) {
      if (next[slot].length > 0) await records.put({ versions: next[slot] }, [runId, slot]);
      else if (old[slot].length > 0) await records.delete([runId, slot]);
    }
    await deleteUnlisted(transaction, old, next);
  });
}

async function deleteUnlisted(transaction: WriteTransaction, old: Slots, next: Slots): Promise<void> {
  const listed = new Set([...next.latest, ...next.best].map(({ blob }) => blob));
  await deleteBlobs(
    transaction,
    [...old.latest, ...old.best].filter(({ blob }) => !listed.has(blob)),
  );
}

/**
 * Loads the newest checkpoint of a slot; null if none was ever saved. Instead of a damaged latest one, the one before.
 * Throws `storage` if there is none that is not damaged.
 */
export async function loadCheckpoint(runId: string, slot: CheckpointSlot): Promise<LoadedCheckpoint | null> {
  const record = await guarded('reading the checkpoint', () =>
    get<CheckpointRecord>([runId, slot], store('checkpoints')),
  );
  if (!record) return null;
  let problem: TabtuneError | null = null;
  // The best before the best is another adapter than the run's record speaks of.
  const usable = slot === 'latest' ? record.versions : record.versions.slice(0, 1);
  for (const [i, version] of usable.entries()) {
    try {
      const tensors = await readTensors(version);
      if (i > 0) await dropDamaged(runId, record.versions.slice(0, i));
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
async function dropDamaged(runId: string, bad: readonly Version[]): Promise<void> {
  const blobs = new Set(bad.map(({ blob }) => blob));
  await changeSlots('repairing the checkpoint', runId, ({ latest, best }) => ({
    latest: latest.filter(({ blob }) => !blobs.has(blob)),
    best,
  }));
}

/** Describes the newest checkpoint without reading its tensors; null if there is none. */
export async function checkpointInfo(runId: string, slot: CheckpointSlot): Promise<CheckpointInfo | null> {
  const record = await guarded('reading the checkpoint', () =>
    get<CheckpointRecord>([runId, slot], store('checkpoints')),
  );
  return record?.versions[0]?.info ?? null;
}
