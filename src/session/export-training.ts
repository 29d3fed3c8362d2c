/** A recipe's run as other trainers can make it: prepared as if it began here, up to its first step. */
import { partsOfBaseText } from '../data/base-text-parts';
import { paddedLengthIn, stepOptions, stepRows } from '../data/batches';
import type { TrainingData } from '../exports/trainers/training-data';
import { paceOf } from '../objectives';
import { resolveRecipe } from '../recipe/defaults';
import { totalSteps } from '../recipe/forecast';
import type { Recipe } from '../recipe/types';
import { preparingUntil, type TrainingNeeds } from './active-run';
import { answerLimit } from './engine-host';
import { prepareJob } from './run-job';

/** Throws what would keep the run from starting, and `cancelled` when `signal` fires. */
export async function trainingData(
  needs: TrainingNeeds,
  given: Recipe,
  signal: AbortSignal = new AbortController().signal,
): Promise<TrainingData> {
  const active = preparingUntil(signal, 'The export was cancelled.');
  const { job } = await prepareJob(needs, active, resolveRecipe(given), null);
  const { recipe, train, validation, maxLength, task } = job;
  const { training, objective } = recipe;
  const replayed = training.replay_ratio > 0 ? partsOfBaseText(job.baseText).learned : [];
  const { stepsPerEpoch, microBatches } = stepRows(
    train.length,
    stepOptions(recipe, paceOf(objective, training)),
    replayed.length > 0 ? { count: replayed.length, ratio: training.replay_ratio } : undefined,
  );
  const { examples } = await needs.dataset(recipe);
  const byRow = new Map(examples.map((example) => [example.row, example]));
  return {
    ...{ recipe, train, validation, replayed, maxLength, task, stepsPerEpoch, microBatches },
    tokens: { pad: job.padTokenId, mask: job.maskTokenId, stop: job.stopTokenIds },
    steps: totalSteps(train.length, recipe),
    paddedLength: paddedLengthIn(train, validation, replayed),
    written: () => needs.written(recipe),
    example: (row) => byRow.get(row) ?? null,
    start() {
      const { initAdapter, initText } = job;
      return needs.engine.use((api) => api.startOfRun({ recipe, task, initAdapter, initText }), answerLimit);
    },
  };
}
