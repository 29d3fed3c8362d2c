/**
 * What a run holds while it lasts: the one lock that lets a single tab train (it also keeps Chrome from freezing a busy
 * hidden tab under Energy Saver), the run's own lock, by which other tabs know that it lives, and the screen's wake lock.
 */
import { TabtuneError } from '../base/errors';
import type { Locks } from '../rpc/rpc';
import { runLockName } from '../storage/runs';

export type PageLocks = Locks & Pick<LockManager, 'query'>;

const TRAINING_LOCK = 'tabtune-training';

/** Something else is under way; nothing is wrong, it only has to wait. */
export function busy(message: string, action: string): TabtuneError {
  return new TabtuneError({ code: 'internal', message, action });
}

export class RunGuard {
  private readonly releases: (() => void)[] = [];

  private constructor(private readonly locks: PageLocks | null) {}

  /** Throws when another tab of this browser trains. */
  static async take(locks: PageLocks | null): Promise<RunGuard> {
    const guard = new RunGuard(locks);
    if (!(await guard.lock(TRAINING_LOCK))) {
      throw busy(
        'Another tab of this browser is training, and the GPU cannot be shared.',
        'Wait for that run to end, or stop it there.',
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

  /** False when someone else has it. */
  private lock(name: string): Promise<boolean> {
    const { locks } = this;
    if (!locks) return Promise.resolve(true);
    return new Promise((resolve) => {
      const held = locks.request(name, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(false);
        resolve(true);
        return new Promise<void>((release) => this.releases.push(release));
      });
      // Where locks are forbidden (an opaque origin), training alone still works.
      held.catch(() => resolve(true));
    });
  }
}

/** Ids of runs that live in some tab of this browser; null where that cannot be known. */
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

/** Keeps the screen on while the tab is visible; the browser drops it when the tab is hidden, so it is asked for again. */
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
      // Refused on low battery or by policy: training goes on all the same.
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
