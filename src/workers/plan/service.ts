/** What the plan worker does: dry runs, one at a time, since each takes over tfjs's only backend. */
import { type DryRun, type DryRunResult, dryRun, type Shader } from '../../engine/run/dry-run';

/** Without the shaders' sources, a megabyte that only a run needs. */
export type DryRunPlan = Omit<DryRunResult, 'shaders'>;

export interface PlanApi {
  plan(run: DryRun): Promise<DryRunPlan>;
  /** What a run needs compiled, with the sources; of a plan that is no longer remembered, by another dry run. */
  shaders(run: DryRun): Promise<Shader[]>;
}

/** A run is planned by a few dry runs at most, and starts with one of them. */
const REMEMBERED = 10;

export function createPlanService(): PlanApi {
  let queue: Promise<unknown> = Promise.resolve();
  const known = new Map<string, Shader[]>();
  /** Shaders by their keys: most are those of other plans too. */
  const sources = new Map<string, Shader>();
  const shared = (shader: Shader): Shader => {
    const before = sources.get(shader.key);
    if (!before) sources.set(shader.key, shader);
    return before ?? shader;
  };
  const made = (run: DryRun): Promise<DryRunResult> => {
    const result = queue.then(() => dryRun(run));
    queue = result.catch(() => {});
    return result;
  };
  const remember = (run: DryRun, shaders: Shader[]): Shader[] => {
    const key = JSON.stringify(run);
    known.delete(key);
    known.set(key, shaders.map(shared));
    if (known.size > REMEMBERED) known.delete(known.keys().next().value!);
    return shaders;
  };
  return {
    async plan(run) {
      const { shaders, ...plan } = await made(run);
      remember(run, shaders);
      return plan;
    },
    async shaders(run) {
      return known.get(JSON.stringify(run)) ?? remember(run, (await made(run)).shaders);
    },
  };
}
