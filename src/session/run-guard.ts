/**
 * What a run holds while it lasts: the lock that lets only one tab train (and keeps Chrome's Energy Saver from freezing
 * a busy hidden tab), the run's own lock, which tells other tabs that it is alive, and a screen wake lock.
 */
import { TabtuneError } from '../base/errors';
import { TRAINING_LOCK } from '../base/training-lock';
import { mixOf } from '../recipe/sections';
import type { Recipe } from '../recipe/types';
import type { Locks } from '../rpc/rpc';
import { runLockName } from '../storage/runs';

export type PageLocks = Locks & Pick<LockManager, 'query'>;

/** Held for each source that a run reads, from before it is read until the run has ended. */
const inputLocks = (sources: readonly string[]): string[] => [
  ...new Set(sources.map((source) => `tabtune-input-${source.toLowerCase()}`)),
];

/** An error for something that only has to wait for another task. */
export function busy(message: string, action: string): TabtuneError {
  return new TabtuneError({ code: 'internal', message, action });
}

export class RunGuard {
  private readonly releases: (() => void)[] = [];

  private constructor(private readonly locks: PageLocks | null) {}

  /** Throws if another tab of this browser is training. */
  static async take(locks: PageLocks | null): Promise<RunGuard> {
    const guard = new RunGuard(locks);
    if (!(await guard.lock(TRAINING_LOCK))) {
      throw busy(
        'Another tab of this browser is training, and the GPU cannot be shared.',
        'Stop the run in that tab, or wait for it to end.',
      );
    }
    guard.releases.push(keepAwake());
    return guard;
  }

  /** Waits for a tab that is deleting the run at this moment. */
  async hold(runId: string): Promise<void> {
    await this.lock(runLockName(runId), true);
  }

  /** Keeps every tab from deleting or replacing what the run reads. Waits for a tab that is doing so. */
  async holdInputs({ model, dataset }: Pick<Recipe, 'model' | 'dataset'>): Promise<void> {
    const sources = [
      model.source,
      ...mixOf(dataset).map(({ source }) => source),
      ...(dataset.base_text === null ? [] : [dataset.base_text]),
    ];
    for (const name of inputLocks(sources)) await this.lock(name, true);
  }

  release(): void {
    for (const release of this.releases.splice(0)) release();
  }

  /** False if someone else holds it; otherwise, or when it has been waited for, it is ours until `release`. */
  private lock(name: string, wait = false): Promise<boolean> {
    const { locks } = this;
    if (!locks) return Promise.resolve(true);
    return new Promise((resolve) => {
      const held = locks.request(name, { ifAvailable: !wait }, (lock) => {
        if (!lock) return resolve(false);
        resolve(true);
        return new Promise<void>((release) => this.releases.push(release));
      });
      // Locks are forbidden (e.g. for an opaque origin); a single tab can still train.
      held.catch(() => resolve(true));
    });
  }
}

/** Does something to what is stored under these sources. Throws if a run in any tab reads from one of them. */
export async function whileUnused<T>(
  locks: PageLocks | null,
  sources: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  if (!locks) return work();
  return takeAll(locks, inputLocks(sources), work);
}

/** Takes the locks one inside the other, and then does the work. */
async function takeAll<T>(locks: PageLocks, names: string[], work: () => Promise<T>): Promise<T> {
  const [name, ...others] = names;
  if (name === undefined) return work();
  let answered = false;
  try {
    return (await locks.request(name, { ifAvailable: true }, (lock) => {
      answered = true;
      if (!lock) throw inUse();
      return takeAll(locks, others, work);
    })) as T;
  } catch (cause) {
    if (answered) throw cause;
    // Locks are forbidden (e.g. for an opaque origin).
    return takeAll(locks, others, work);
  }
}

export const inUse = (): TabtuneError =>
  busy(
    'A run in progress, here or in another tab, needs this in order to resume.',
    'Wait for the run to end, or stop it.',
  );

/** Whether any tab prepares, trains or pauses a run; null if that cannot be known. */
export async function someTabTrains(locks: PageLocks | null): Promise<boolean | null> {
  if (!locks) return null;
  try {
    const { held = [] } = await locks.query();
    return held.some(({ name }) => name === TRAINING_LOCK);
  } catch {
    return null;
  }
}

/** Keeps the screen on while the tab is visible. Browsers drop the lock when the tab is hidden, so it is renewed. */
function keepAwake(): () => void {
  if (typeof document === 'undefined' || !navigator.wakeLock) return () => {};
  let wake: WakeLockSentinel | null = null;
  let over = false;
  const ask = async () => {
    if (over || document.visibilityState !== 'visible') return;
    try {
      const sentinel = await navigator.wakeLock.request('screen');
      if (over) void sentinel.release();
      else wake = sentinel;
    } catch {
      // Refused on low battery or by policy; training continues anyway.
    }
  };
  document.addEventListener('visibilitychange', ask);
  void ask();
  return () => {
    over = true;
    document.removeEventListener('visibilitychange', ask);
    void wake?.release().catch(() => {});
  };
}
