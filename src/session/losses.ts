/** Losses of the current model on the data: of every example, and of every token of one. Fetched when first needed. */
import { TabtuneError } from '../base/errors';
import { targetsOf } from '../data/batches';
import { objectiveOf } from '../objectives';
import type { Recipe } from '../recipe/types';
import type { ExampleLosses, TokenLosses } from './api';
import type { Progress } from './comparison-types';
import type { DataSession } from './datasets';
import type { EngineHost } from './engine-host';
import type { LoadedAdapters } from './loaded-adapters';
import type { ModelSession } from './models';

export interface LossNeeds {
  engine: EngineHost;
  models: ModelSession;
  datasets: DataSession;
  loaded: LoadedAdapters;
}

const activeName = ({ loaded }: LossNeeds) => loaded.list().find(({ active }) => active)?.name ?? null;

/** Every example by itself, on both sides of the split, whether the recipe packs them or not. */
export async function exampleLosses(
  needs: LossNeeds,
  given: Recipe,
  onProgress: Progress,
  signal?: AbortSignal,
): Promise<ExampleLosses> {
  const recipe = { ...given, dataset: { ...given.dataset, packing: false } };
  const { tokens, info } = needs.models.require();
  const adapter = activeName(needs);
  if (adapter === null && objectiveOf(recipe.objective).labels !== null) {
    throw new TabtuneError({
      code: 'bad_model',
      message: `${info.title} has not learned these labels yet, so its losses say nothing about them.`,
      where: recipe.objective.type,
      action: 'Train once, or open a run, and measure then.',
    });
  }
  const { train, validation, task } = await needs.datasets.tokenize(recipe);
  // An epoch of a mix may have an example several times.
  const examples = [...new Set([...train, ...validation])];
  const job = {
    ...{ examples, objective: recipe.objective, task },
    ...{ maskTokenId: tokens.maskTokenId, padTokenId: tokens.padTokenId },
    batchSize: recipe.training.per_device_train_batch_size,
  };
  const on = adapter === null ? null : 'active';
  const measured = await needs.engine.use((api) => api.measureExamples(on, job, onProgress, signal));
  // A long text is several pieces, each of which counts by its targets.
  const sums = new Map<number, { sum: number; targets: number }>();
  for (const [i, example] of examples.entries()) {
    const loss = measured.losses[i]!;
    if (Number.isNaN(loss)) continue;
    const targets = targetsOf(example);
    const of = sums.get(example.row) ?? { sum: 0, targets: 0 };
    sums.set(example.row, { sum: of.sum + loss * targets, targets: of.targets + targets });
  }
  const rows = [...sums].sort(([a], [b]) => a - b);
  return {
    rows: rows.map(([row]) => row),
    losses: Float32Array.from(rows, ([, { sum, targets }]) => sum / targets),
    adapter,
  };
}

export async function tokenLosses(needs: LossNeeds, recipe: Recipe, row: number): Promise<TokenLosses> {
  const { info } = needs.models.require();
  if (info.kind !== 'decoder' || objectiveOf(recipe.objective).labels !== null) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: 'Tokens have a loss of their own only where each is predicted from those before it.',
      where: 'objective.type',
      action: 'Look at the loss of whole examples instead.',
    });
  }
  const { maxLength } = await needs.datasets.tokenize(recipe);
  const view = await needs.datasets.viewTokens(recipe, row);
  const ids = Int32Array.from(view.tokens.filter(({ cut }) => !cut).slice(0, maxLength), ({ id }) => id);
  const adapter = activeName(needs);
  const base = await needs.engine.use((api) => api.tokenLosses(null, ids));
  const tuned = adapter === null ? null : await needs.engine.use((api) => api.tokenLosses('active', ids));
  return { row, base, tuned, adapter };
}
