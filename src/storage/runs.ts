/** Runs and their metrics and sample answers, which are appended in batches during training. */
import { get } from 'idb-keyval';
import { TabtuneError } from '../base/errors';
import { fill } from '../recipe/defaults';
import { type BlobManifest, deleteBlobs } from './chunks';
import { guarded, keysOf, openDatabase, type StoreName, store, transact, type WriteTransaction } from './database';
import type { CheckpointInfo, MetricsRow, RunLabels, RunRecord, SampleAnswer } from './types';

/** The Web Lock that a tab holds while it trains the run. It is released however the tab ends. */
export const runLockName = (runId: string): string => `tabtune-run-${runId}`;

/** What happened to a run, with what a person says of it taken from another record of the same run. */
export function withLabels(run: RunRecord, { name, tags, pinned, note }: RunLabels): RunRecord {
  const { tags: _tags, pinned: _pinned, note: _note, ...rest } = run;
  return { ...rest, name, ...(tags && { tags }), ...(pinned && { pinned }), ...(note && { note }) };
}

/** As of now: an older version stored recipes without the fields that have been added since. They get their defaults. */
const current = (run: RunRecord): RunRecord => ({ ...run, recipe: fill(run.recipe) });

/**
 * Stores a new or changed record and sets `updatedAt`. A stored run keeps its labels: they may have been changed meanwhile,
 * in another tab too, and the one that trains does not know.
 */
export function saveRun(run: RunRecord): Promise<RunRecord> {
  return putRun({ ...run, updatedAt: Date.now() });
}

/** Puts a record back as it was, with the time at which its run was last alive. */
export function restoreRun(run: RunRecord): Promise<RunRecord> {
  return putRun(run);
}

function putRun(run: RunRecord): Promise<RunRecord> {
  return transact('saving the run', ['runs'], 'relaxed', async (transaction) => {
    const runs = transaction.objectStore('runs');
    const stored = (await runs.get(run.id)) as RunRecord | undefined;
    const record = stored ? withLabels(run, stored) : run;
    await runs.put(record, run.id);
    return record;
  });
}

/** Changes what a person says of a run, and nothing else: `updatedAt` says when it was last alive. */
export function labelRun(runId: string, change: Partial<RunLabels>): Promise<RunRecord> {
  return transact('saving the run', ['runs'], 'relaxed', async (transaction) => {
    const runs = transaction.objectStore('runs');
    const stored = (await runs.get(runId)) as RunRecord | undefined;
    if (!stored) {
      throw new TabtuneError({
        code: 'storage',
        message: 'This run is no longer in this browser.',
        action: 'It may have been deleted in another tab. Reload the page to see what is left.',
      });
    }
    const record = withLabels(current(stored), { ...stored, ...change });
    await runs.put(record, runId);
    return record;
  });
}

export function getRun(runId: string): Promise<RunRecord | undefined> {
  return guarded('reading the run', async () => {
    const run = await get<RunRecord>(runId, store('runs'));
    return run && current(run);
  });
}

/** All runs, newest first. */
export function listRuns(): Promise<RunRecord[]> {
  return guarded('listing the runs', async () => {
    const runs: RunRecord[] = await (await openDatabase()).getAll('runs');
    return runs.map(current).sort((a, b) => b.createdAt - a.createdAt);
  });
}

/** Deletes a run and its metrics, samples and checkpoints in one transaction. Refused while a tab trains it. */
export async function deleteRun(runId: string): Promise<void> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return removeRun(runId);
  // Held meanwhile: a tab that is about to resume the run waits, and then finds it gone.
  await locks.request(runLockName(runId), { ifAvailable: true }, (lock) => {
    if (lock) return removeRun(runId);
    throw new TabtuneError({
      code: 'storage',
      message: 'This run is still in progress, here or in another tab.',
      action: 'Stop it first, then delete it.',
    });
  });
}

async function removeRun(runId: string): Promise<void> {
  const stores: StoreName[] = ['runs', 'metrics', 'samples', 'checkpoints', 'chunks'];
  await transact('deleting the run', stores, 'relaxed', async (transaction) => {
    const kept: { versions: BlobManifest[] }[] = await transaction.objectStore('checkpoints').getAll(keysOf(runId));
    await deleteBlobs(
      transaction,
      kept.flatMap(({ versions }) => versions),
    );
    for (const name of ['metrics', 'samples', 'checkpoints'] as const) {
      await transaction.objectStore(name).delete(keysOf(runId));
    }
    await transaction.objectStore('runs').delete(runId);
  });
}

/** Appends rows. */
export function appendMetrics(runId: string, rows: readonly MetricsRow[]): Promise<void> {
  return append('metrics', runId, rows);
}

/** All rows, in the order they were added. */
export function readMetrics(runId: string): Promise<MetricsRow[]> {
  return readAll('metrics', runId);
}

export function appendSamples(runId: string, answers: readonly SampleAnswer[]): Promise<void> {
  return append('samples', runId, answers);
}

export function readSamples(runId: string): Promise<SampleAnswer[]> {
  return readAll('samples', runId);
}

async function append(name: 'metrics' | 'samples', runId: string, rows: readonly unknown[]): Promise<void> {
  if (rows.length === 0) return;
  await transact(`saving ${name}`, [name], 'relaxed', async (transaction) => {
    const target = transaction.objectStore(name);
    const last = await target.openKeyCursor(keysOf(runId), 'prev');
    const seq = last ? (last.key as [string, number])[1] + 1 : 0;
    await target.put(rows, [runId, seq]);
  });
}

function readAll<T>(name: 'metrics' | 'samples', runId: string): Promise<T[]> {
  return guarded(`reading ${name}`, async () => {
    const batches: T[][] = await (await openDatabase()).getAll(name, keysOf(runId));
    return batches.flat();
  });
}

/**
 * Drops metrics and samples of steps after `step`. A run that resumes from a checkpoint repeats those steps and must
 * not report them twice.
 */
export function truncateMetrics(runId: string, step: number): Promise<void> {
  return transact('rewinding the run', ['metrics', 'samples'], 'relaxed', async (transaction) => {
    for (const name of ['metrics', 'samples'] as const) {
      let cursor = await transaction.objectStore(name).openCursor(keysOf(runId));
      while (cursor) {
        const batch = cursor.value as { step: number }[];
        const kept = batch.filter((row) => row.step <= step);
        if (kept.length === 0) await cursor.delete();
        else if (kept.length < batch.length) await cursor.update(kept);
        cursor = await cursor.continue();
      }
    }
  });
}

/** What a checkpoint knows about its run, if the record is older. */
function savedBy(info: CheckpointInfo | undefined, { step }: RunRecord): Partial<RunRecord> {
  if (!info) return {};
  if (info.step <= step) return { savedStep: info.step };
  const { initialEvalLoss, bestEvalLoss, bestStep, seconds } = info.state as Partial<RunRecord>;
  const known = Object.entries({ initialEvalLoss, bestEvalLoss, bestStep, seconds }).filter(
    ([, value]) => value !== undefined,
  );
  return { step: info.step, savedStep: info.step, ...Object.fromEntries(known) };
}

/** How far the curve goes, if the record is older: both are on the screen, and must not contradict each other. */
function reachedBy(rows: MetricsRow[] | undefined, { step }: { step: number }): Partial<RunRecord> {
  const last = rows?.findLast((row) => row.kind === 'step');
  return last && last.step > step ? { step: last.step, finalLoss: last.loss } : {};
}

async function heldLocks(): Promise<Set<string>> {
  const { held = [] } = (await globalThis.navigator?.locks?.query?.()) ?? {};
  return new Set(held.map(({ name }) => name ?? ''));
}

/**
 * Marks runs as `interrupted` that are stored as `running` although no tab holds their lock: a crash, a reload or a
 * closed laptop ended them. Returns those runs. A tab must hold the lock before it stores a run as `running`.
 * What the tab did not live to record is taken from the last checkpoint and the metrics.
 */
export async function markInterrupted(): Promise<RunRecord[]> {
  const held = await guarded('looking for interrupted runs', heldLocks);
  const found: RunRecord[] = [];
  const look = async (transaction: WriteTransaction) => {
    const runs = transaction.objectStore('runs');
    for (const run of ((await runs.getAll()) as RunRecord[]).map(current)) {
      if (run.status !== 'running' || held.has(runLockName(run.id))) continue;
      // `updatedAt` is left alone: it says when the run was last alive.
      const checkpoints = transaction.objectStore('checkpoints');
      const kept: { versions: { info: CheckpointInfo }[] } | undefined = await checkpoints.get([run.id, 'latest']);
      const saved = { ...run, ...savedBy(kept?.versions[0]?.info, run) };
      const last = await transaction.objectStore('metrics').openCursor(keysOf(run.id), 'prev');
      found.push({ ...saved, ...reachedBy(last?.value, saved), status: 'interrupted' });
    }
    for (const run of found) await runs.put(run, run.id);
  };
  try {
    await transact('looking for interrupted runs', ['runs', 'checkpoints', 'metrics'], 'relaxed', look);
  } catch (cause) {
    // On a full disk they are marked the next time; they are interrupted all the same.
    if (!(cause instanceof TabtuneError && cause.code === 'storage_full')) throw cause;
  }
  return found;
}
