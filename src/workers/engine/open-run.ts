/** What a run left behind, on the model that it was trained on. */
import { TabtuneError } from '../../base/errors';
import type { LanguageModel } from '../../engine/models/model';
import type { Recipe } from '../../recipe/types';
import { type CheckpointSlot, type LoadedCheckpoint, loadCheckpoint } from '../../storage/checkpoints';
import { getRun } from '../../storage/runs';
import { type HeadSource, type OpenAdapter, openMethod } from './adapters';
import { checkpointValues } from './run-checkpoints';

interface Ground {
  base: LanguageModel;
  head: HeadSource;
}

/** The best checkpoint of a run, else its latest. Throws `storage` if there is none. */
export async function openRun(runId: string, recipe: Recipe, ground: Ground): Promise<OpenAdapter> {
  const checkpoint = (await loadCheckpoint(runId, 'best')) ?? (await loadCheckpoint(runId, 'latest'));
  if (checkpoint) return opened(checkpoint, runId, recipe, ground);
  throw new TabtuneError({
    code: 'storage',
    message: 'This run has no checkpoint yet.',
    action: 'Train it for at least one checkpoint (training.save_steps).',
  });
}

/** One of the checkpoints that a run keeps. Throws `storage` if it does not keep it. */
export async function openSlot(
  runId: string,
  slot: CheckpointSlot,
  recipe: Recipe,
  ground: Ground,
): Promise<OpenAdapter> {
  const checkpoint = await loadCheckpoint(runId, slot);
  if (checkpoint) return opened(checkpoint, runId, recipe, ground);
  throw new TabtuneError({
    code: 'storage',
    message: `This run keeps no ${slot} checkpoint.`,
    action: 'Choose another of its checkpoints, or another run.',
  });
}

const opened = async ({ tensors }: LoadedCheckpoint, runId: string, recipe: Recipe, { base, head }: Ground) =>
  openMethod(base, recipe.method, {
    objective: recipe.objective.type,
    task: (await getRun(runId))?.task ?? null,
    seed: recipe.training.seed,
    values: checkpointValues(tensors),
    head,
  });
