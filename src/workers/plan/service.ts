/** What the plan worker does: dry runs, one at a time, since each takes over tfjs's only backend. */
import { type DryRun, type DryRunResult, dryRun } from '../../engine/run/dry-run';

export interface PlanApi {
  plan(run: DryRun): Promise<DryRunResult>;
}

export function createPlanService(): PlanApi {
  let queue: Promise<unknown> = Promise.resolve();
  return {
    plan(run) {
      const result = queue.then(() => dryRun(run));
      queue = result.catch(() => {});
      return result;
    },
  };
}
