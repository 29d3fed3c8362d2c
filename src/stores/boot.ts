/** What happens when the page opens: connect the session, inspect the device, follow the recipe, load past runs. */
import type { Session } from '../session/api';
import { lazySession } from '../session/lazy-session';
import type { SessionParts } from '../session/session';
import { startAnnouncer } from './announcer';
import { useBuiltins } from './builtins';
import { useCompare } from './compare';
import { followDownloads } from './downloads';
import { useHub } from './hub';
import { useModel } from './model';
import { startPipeline } from './pipeline';
import { useRecipe } from './recipe';
import { useRuns } from './runs';
import { connectSession } from './session';
import { useTraining } from './training';

const finished = new Set(['completed', 'stopped', 'early_stopped']);

/** An open model without an adapter gets that of its last run, so that Compare is ready after a reload. */
function recallAdapter(): void {
  const { recipe } = useRecipe.getState();
  if (useModel.getState().status !== 'ready' || useTraining.getState().phase !== 'idle') return;
  if (useCompare.getState().adapter || useCompare.getState().opening) return;
  const run = useRuns
    .getState()
    .runs.find(
      ({ status, step, recipe: of }) => finished.has(status) && step > 0 && of.model.source === recipe.model.source,
    );
  if (run) void useCompare.getState().openRun(run);
}

/** Of the page's address: `?kernels=tile`. */
function askedKernels(): SessionParts['kernels'] {
  const text = new URLSearchParams(globalThis.location?.search).get('kernels');
  return text === null ? undefined : { text, where: '?kernels=' };
}

/**
 * `runId` is the run in the address, if any; tests pass a session of their own. Returns a function that stops everything
 * it started.
 */
export function boot(runId = '', session: Session = lazySession(undefined, { kernels: askedKernels() })): () => void {
  connectSession(session);
  void useBuiltins.getState().load();
  void useModel.getState().inspectDevice();
  void useHub.getState().recall();
  const stop = [
    followDownloads(),
    startPipeline(),
    startAnnouncer(),
    useModel.subscribe((state, before) => state.status !== before.status && recallAdapter()),
  ];
  void useRuns
    .getState()
    .refresh()
    .then(() => {
      const { runs } = useRuns.getState();
      const run = runs.find(({ id }) => id === runId) ?? runs[0];
      if (run) void useTraining.getState().show(run);
      recallAdapter();
    });
  return () => {
    for (const end of stop) end();
  };
}
