/** What this browser keeps, as the screen lists and deletes it. */
import { TabtuneError } from '../base/errors';
import { deleteFile } from '../storage/files';
import { deleteRun, listRuns, markInterrupted } from '../storage/runs';
import { startStorage } from '../storage/start';
import type { RunRecord } from '../storage/types';
import { eraseEverything, requestPersistence } from '../storage/usage';
import { busy, livingRuns, type PageLocks } from './run-guard';

export class StorageSession {
  private readonly started: Promise<void>;
  private persistenceAsked = false;

  constructor(
    private readonly locks: PageLocks | null,
    /** The run of this tab, while it lasts. */
    private readonly active: () => RunRecord | null,
  ) {
    // What is wrong with storage is told by the first call that needs it; a built-in model opens without any.
    this.started = startStorage().then(
      () => {},
      () => {},
    );
  }

  /** Cleaning up after the last visit must be over before anything is written. */
  async ready<T>(work: () => Promise<T>): Promise<T> {
    await this.started;
    return work();
  }

  /** Asked once a visit, when there is something to lose. */
  onSave(): void {
    if (this.persistenceAsked) return;
    this.persistenceAsked = true;
    void requestPersistence();
  }

  async runs(): Promise<RunRecord[]> {
    await this.started;
    const active = this.active();
    // A run of another tab may have been cut off meanwhile. Without locks, the run of this tab would look like one.
    if (this.locks || !active) await markInterrupted();
    const runs = await listRuns();
    return active ? runs.map((run) => (run.id === active.id ? active : run)) : runs;
  }

  async deleteRun(runId: string): Promise<void> {
    await this.started;
    if (this.active()?.id === runId) throw busy('This run is still going on.', 'Stop it first, then delete it.');
    await deleteRun(runId);
  }

  async delete(id: string): Promise<void> {
    await this.started;
    const slash = id.indexOf('/');
    const [kind, name] = [id.slice(0, slash), id.slice(slash + 1)];
    if (kind === 'run') return this.deleteRun(name);
    this.assertUnused([`file:${name}`]);
    await deleteFile(id);
  }

  /** Throws when the run that is going on was started from one of these sources. */
  assertUnused(sources: readonly string[]): void {
    const recipe = this.active()?.recipe;
    if (!recipe || ![recipe.model.source, recipe.dataset.source].some((source) => sources.includes(source))) return;
    throw busy('The run that is going on needs this to be resumed.', 'Wait for its end, then delete it.');
  }

  /** Throws while a run is going on in any tab. */
  async assertErasable(): Promise<void> {
    await this.started;
    const living = await livingRuns(this.locks);
    if (this.active() || (living && living.size > 0)) {
      throw new TabtuneError({
        code: 'storage',
        message: 'A run is going on, here or in another tab.',
        action: 'Stop it first, then erase everything.',
      });
    }
  }

  async erase(): Promise<void> {
    await this.assertErasable();
    await eraseEverything();
  }
}
