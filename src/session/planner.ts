/**
 * The page's side of the plan worker, which is started on demand and stopped after some idle time. Results are cached,
 * because the screens ask again at every change of the recipe.
 */
import type { DryRun, Shader } from '../engine/run/dry-run';
import type { Connection } from '../rpc/rpc';
import type { DryRunPlan, PlanApi } from '../workers/plan/service';

export type { DryRun, DryRunPlan };

const IDLE_MS = 60_000;
const REMEMBERED = 100;
/** A dry run takes about a second. One that never ends must not leave the screen waiting. */
const DEADLINE_MS = 60_000;

export class Planner {
  private connection: Connection<PlanApi> | null = null;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private atWork = 0;
  private readonly known = new Map<string, Promise<DryRunPlan>>();

  constructor(private readonly start: () => Connection<PlanApi>) {}

  plan(run: DryRun): Promise<DryRunPlan> {
    const key = JSON.stringify(run);
    const before = this.known.get(key);
    if (before) return before;
    const result = this.ask((api) => api.plan(run));
    this.known.set(key, result);
    // A failed dry run may succeed next time.
    result.catch(() => this.known.delete(key));
    if (this.known.size > REMEMBERED) this.known.delete(this.known.keys().next().value!);
    return result;
  }

  /** What a run needs compiled. Not remembered here: it is a megabyte of text that a run asks for once. */
  shaders(run: DryRun): Promise<Shader[]> {
    return this.ask((api) => api.shaders(run));
  }

  close(): void {
    clearTimeout(this.idle);
    this.connection?.terminate();
    this.connection = null;
  }

  private async ask<T>(what: (api: Connection<PlanApi>['api']) => Promise<T>): Promise<T> {
    clearTimeout(this.idle);
    this.atWork++;
    try {
      if (!this.connection || this.connection.death) this.connection = this.start();
      const words = { message: 'Planning the run’s memory took too long and was stopped.', where: 'GPU memory' };
      return await what(this.connection.within(DEADLINE_MS, words));
    } finally {
      this.atWork--;
      if (this.atWork === 0) {
        this.idle = setTimeout(() => this.close(), IDLE_MS);
        // A timer alone must not keep a script alive.
        (this.idle as { unref?: () => void }).unref?.();
      }
    }
  }
}
