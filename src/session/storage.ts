/** Lists and deletes what is stored in this browser. */
import { TabtuneError } from '../base/errors';
import { mixOf } from '../recipe/sections';
import { deleteFile } from '../storage/files';
import { deleteRun, labelRun, listRuns, markInterrupted, withLabels } from '../storage/runs';
import { startStorage } from '../storage/start';
import type { RunLabels, RunRecord } from '../storage/types';
import { eraseEverything, requestPersistence } from '../storage/usage';
import { busy, inUse, type PageLocks, someTabTrains, whileUnused } from './run-guard';

export class StorageSession {
  private readonly started: Promise<void>;
  private persistenceAsked = false;

  constructor(
    private readonly locks: PageLocks | null,
    /** The run of this tab, while it lasts. */
    private readonly active: () => RunRecord | null,
  ) {
    // Storage problems are reported by the first call that needs storage. A built-in model opens without it.
    this.started = startStorage().then(
      () => {},
      () => {},
    );
  }

  /** Nothing may be written before the clean-up after the last visit is done. */
  async ready<T>(work: () => Promise<T>): Promise<T> {
    await this.started;
    return work();
  }

  /** Asks for persistent storage once per visit, when there is something to lose. */
  onSave(): void {
    if (this.persistenceAsked) return;
    this.persistenceAsked = true;
    void requestPersistence();
  }

  async runs(): Promise<RunRecord[]> {
    await this.started;
    const active = this.active();
    // A run in another tab may have been interrupted. Without locks, this tab's run would also look interrupted.
    const interrupted = this.locks || !active ? await markInterrupted() : [];
    const runs = (await listRuns()).map((run) => interrupted.find(({ id }) => id === run.id) ?? run);
    return active ? runs.map((run) => (run.id === active.id ? withLabels(active, run) : run)) : runs;
  }

  async deleteRun(runId: string): Promise<void> {
    await this.started;
    if (this.active()?.id === runId) throw busy('This run is still in progress.', 'Stop it first, then delete it.');
    await deleteRun(runId);
  }

  async labelRun(runId: string, change: Partial<RunLabels>): Promise<RunRecord> {
    await this.started;
    return labelRun(runId, change);
  }

  async delete(id: string): Promise<void> {
    await this.started;
    const slash = id.indexOf('/');
    const [kind, name] = [id.slice(0, slash), id.slice(slash + 1)];
    if (kind === 'run') return this.deleteRun(name);
    if (kind === 'prompts' || kind === 'draft' || kind === 'votes') return deleteFile(id);
    await this.whileUnused([`file:${name}`], () => deleteFile(id));
  }

  /** Deletes or replaces what is stored under these sources. Throws if a run in any tab was started from one of them. */
  async whileUnused<T>(sources: readonly string[], work: () => Promise<T>): Promise<T> {
    const recipe = this.active()?.recipe;
    const used = recipe && [
      recipe.model.source,
      ...mixOf(recipe.dataset).map(({ source }) => source),
      recipe.dataset.base_text,
    ];
    if (used?.some((source) => source !== null && sources.includes(source))) throw inUse();
    return whileUnused(this.locks, sources, work);
  }

  /** Throws while a run is in progress in any tab. */
  async assertErasable(): Promise<void> {
    await this.started;
    if (this.active() || (await someTabTrains(this.locks))) {
      throw new TabtuneError({
        code: 'storage',
        message: 'A run is in progress, here or in another tab.',
        action: 'Stop it first, then erase everything.',
      });
    }
  }

  async erase(): Promise<void> {
    await this.assertErasable();
    await eraseEverything();
  }
}
