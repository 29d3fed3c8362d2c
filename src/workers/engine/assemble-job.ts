/** A job of the page put together, for the run and for what is tried before it. */
import { TabtuneError } from '../../base/errors';
import { partsOfBaseText } from '../../data/base-text-parts';
import { createBatchSource, stepOptions } from '../../data/batches';
import { tokensOf as tokensIn } from '../../data/preference-batches';
import type { BatchSource } from '../../data/types';
import { inference, type Method } from '../../engine/methods/method';
import type { LanguageModel } from '../../engine/models/model';
import { virtualLength } from '../../engine/models/virtual-tokens';
import { type AssembledRun, assembleRun } from '../../engine/run/assemble';
import { estimateFisher } from '../../engine/run/estimate-fisher';
import type { SpecialTokens } from '../../engine/run/pass';
import { inAdapterWords } from '../../methods/fit-adapter';
import { fitLabels } from '../../methods/fit-labels';
import { continuedRecipe, type DecodedAdapter, decodeAdapter } from '../../methods/read-adapter';
import { paceOf } from '../../objectives';
import type { Recipe } from '../../recipe/types';
import type { LoadedCheckpoint } from '../../storage/checkpoints';
import { fitNames, type HeadSource, headOptions } from './adapters';
import type { TrainJob } from './api';
import { baseTextBatches } from './measure';
import { startingValues } from './run-checkpoints';

export interface AssembledJob {
  assembled: AssembledRun;
  /** As trained: an adapter that the run continues decides its own rank and targets. */
  recipe: Recipe;
  /** The method's tensors are those of the checkpoint already (PiSSA). */
  trained: boolean;
}

/** The adapter that a job continues, null for a new one, and the recipe with its settings. Throws bad_adapter if it does not fit. */
export function beginningOf(
  base: LanguageModel,
  job: Pick<TrainJob, 'initAdapter' | 'task' | 'recipe'>,
): { initial: DecodedAdapter | null; recipe: Recipe } {
  const initial = job.initAdapter && fitLabels(fitNames(base, decodeAdapter(job.initAdapter)), job.task);
  return { initial, recipe: initial ? continuedRecipe(job.recipe, initial.section) : job.recipe };
}

/** `head`: where BERT's pooler is read from. `resumed`: the checkpoint that the run goes on from. */
export async function assembleJob(
  base: LanguageModel,
  head: HeadSource,
  job: TrainJob,
  resumed: LoadedCheckpoint | null,
  stopped: () => boolean,
): Promise<AssembledJob> {
  const { initial, recipe } = beginningOf(base, job);
  const { values, valueModel, trained } = startingValues(initial?.values, resumed);
  const assembling = assembleRun(base, {
    ...{ method: recipe.method, objective: recipe.objective, training: recipe.training },
    ...{ task: job.task, maskTokenId: job.maskTokenId, initText: job.initText },
    head: headOptions(job.task, values, head),
    values: () => values,
    valueModel: () => valueModel,
    continued: initial && (() => initial.values),
    baseText: baseTextBatches(job.baseText, job.padTokenId),
    fisher: (setup, texts) => estimateFisher(setup, texts, stopped),
  });
  const assembled = await (initial
    ? assembling.catch((e) => Promise.reject(inAdapterWords(e, initial.base)))
    : assembling);
  return { assembled, recipe, trained };
}

/** Positions beyond the context would be read from past the end of a table, or were never trained. */
export function checkRoom(model: LanguageModel, method: Method, { train, validation }: TrainJob): void {
  const room = model.contextLength - virtualLength(method.hooks(inference()));
  const longest = [...train, ...validation].reduce((most, example) => Math.max(most, tokensIn(example)), 0);
  if (longest <= room) return;
  throw new TabtuneError({
    code: 'bad_data',
    message: `The longest example has ${longest} tokens, and the model has room for ${room}.`,
    where: 'dataset.max_length',
    action: `Set dataset.max_length to at most ${room}.`,
  });
}

/** The tokens that answers end with, and that rows are filled with. */
export const tokensOf = ({ stopTokenIds, padTokenId }: TrainJob): SpecialTokens => ({
  stop: stopTokenIds,
  pad: padTokenId,
});

export function batchesOf(
  { train, validation, baseText, padTokenId, together }: TrainJob,
  recipe: Recipe,
): BatchSource {
  const { replay_ratio: ratio } = recipe.training;
  return createBatchSource(train, validation, {
    ...stepOptions(recipe, paceOf(recipe.objective, recipe.training)),
    ...{ padTokenId, together },
    ...(ratio > 0 ? { replay: { examples: partsOfBaseText(baseText).learned, ratio } } : {}),
  });
}
