/**
 * The page's side of the plan worker, which is started on demand and stopped after some idle time. Results are cached,
 * because the screens ask again at every change of the recipe.
 */
import type { DryRun, DryRunResult } from '../engine/run/dry-run';
import type { Connection } from '../rpc/rpc';
import type { PlanApi } from '../workers/plan/service';

export type { DryRun, DryRunResult };

type Shader = DryRunResult['shaders'][number];

const IDLE_MS = 60_000;
const REMEMBERED = 100;
/** A dry run takes about a second. One that never ends must not leave the screen waiting. */
const DEADLINE_MS = 60_000;

export class Planner {
  private connection: Connection<PlanApi> | null = null;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private atWork = 0;
  private readonly known = new Map<string, Promise<DryRunResult>>();
  /** Shaders by their keys: most are those of other plans too, and there are a hundred in each. */
  private readonly shaders = new Map<string, Shader>();

  constructor(private readonly start: () => Connection<PlanApi>) {}

  plan(run: DryRun): Promise<DryRunResult> {
    const key = JSON.stringify(run);
    const before = this.known.get(key);
    if (before) return before;
    const result = this.ask(run);
    this.known.set(key, result);
    // A failed dry run may succeed next time.
    result.catch(() => this.known.delete(key));
    if (this.known.size > REMEMBERED) this.known.delete(this.known.keys().next().value!);
    return result;
  }

  close(): void {
    clearTimeout(this.idle);
    this.connection?.terminate();
    this.connection = null;
  }

  private shared(shader: Shader): Shader {
    const before = this.shaders.get(shader.key);
    if (before) return before;
    this.shaders.set(shader.key, shader);
    return shader;
  }

  private async ask(run: DryRun): Promise<DryRunResult> {
    clearTimeout(this.idle);
    this.atWork++;
    try {
      if (!this.connection || this.connection.death) this.connection = this.start();
      const words = { message: 'Planning the run’s memory took too long and was stopped.', where: 'GPU memory' };
      const result = await this.connection.within(DEADLINE_MS, words).plan(run);
      return { ...result, shaders: result.shaders.map((shader) => this.shared(shader)) };
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
