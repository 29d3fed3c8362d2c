/**
 * What a run holds while it lasts: the lock that lets only one tab train (and keeps Chrome's Energy Saver from freezing
 * a busy hidden tab), the run's own lock, which tells other tabs that it is alive, and a screen wake lock.
 */
import { TabtuneError } from '../base/errors';
import type { Locks } from '../rpc/rpc';
import { runLockName } from '../storage/runs';

export type PageLocks = Locks & Pick<LockManager, 'query'>;

const TRAINING_LOCK = 'tabtune-training';

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

  async hold(runId: string): Promise<void> {
    await this.lock(runLockName(runId));
  }

  release(): void {
    for (const release of this.releases.splice(0)) release();
  }

  /** False if someone else holds it. */
  private lock(name: string): Promise<boolean> {
    const { locks } = this;
    if (!locks) return Promise.resolve(true);
    return new Promise((resolve) => {
      const held = locks.request(name, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(false);
        resolve(true);
        return new Promise<void>((release) => this.releases.push(release));
      });
      // Locks are forbidden (e.g. for an opaque origin); a single tab can still train.
      held.catch(() => resolve(true));
    });
  }
}

/** Ids of runs alive in any tab of this browser; null if that cannot be known. */
export async function livingRuns(locks: PageLocks | null): Promise<Set<string> | null> {
  if (!locks) return null;
  try {
    const { held = [] } = await locks.query();
    const prefix = runLockName('');
    const names = held.map(({ name }) => name ?? '').filter((name) => name.startsWith(prefix));
    return new Set(names.map((name) => name.slice(prefix.length)));
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
