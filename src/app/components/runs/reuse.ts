/** A run's recipe back into Recipe. */
import { fileName } from '../../../exports';
import type { MetricsFormat } from '../../../exports/run-metrics';
import { checkRecipe } from '../../../recipe/defaults';
import { minimalInput } from '../../../recipe/diff';
import type { Recipe, RecipeInput } from '../../../recipe/types';
import type { RunRecord } from '../../../storage/types';
import { changesFor, demos } from '../../../stores/demos';
import { hintsFor } from '../../../stores/hints';
import { useRecipe, withChanges } from '../../../stores/recipe';
import { useRunTable } from '../../../stores/run-table';
import { useRuns } from '../../../stores/runs';
import { runMenuText as text } from '../../text/runs';
import { downloadBlob } from '../../util/downloadBlob';
import { navigate } from '../../util/route';
import { differencesOf } from './differences';

/** As long as a recipe's name may be. */
const LONGEST = 100;

const same = (a: Recipe, b: Recipe) => differencesOf([a, b]).length === 0;

/** Whether the recipe on the screen is somebody's work that no run has. */
export function recipeIsUnsaved(): boolean {
  const { recipe, input } = useRecipe.getState();
  if (useRuns.getState().runs.some((run) => same(run.recipe, recipe))) return false;
  // What a person gets by choosing a model, data and a goal, or a demo, alone.
  const chosen = withChanges(
    {
      version: 1,
      ...(input.model && { model: input.model }),
      ...(input.dataset && { dataset: { source: input.dataset.source } }),
      ...(input.objective && { objective: { type: recipe.objective.type } }),
    } as RecipeInput,
    hintsFor(recipe),
  );
  const plain = [chosen, ...demos.map((demo) => withChanges(chosen, changesFor(demo, recipe)))];
  return plain.every((one) => {
    const { recipe: whole } = checkRecipe(one);
    return whole === null || !same(whole, recipe);
  });
}

/** `copy`: under a name of its own. */
export function reuseRecipe(run: RunRecord, copy: boolean): void {
  const input = minimalInput(run.recipe);
  const ending = text.copyOf('');
  const name = text.copyOf(run.name.slice(0, LONGEST - ending.length));
  useRecipe.getState().replace(copy ? { ...input, name } : input);
  navigate('recipe');
}

export async function saveMetrics(run: RunRecord, format: MetricsFormat): Promise<void> {
  const file = await useRunTable.getState().exported(run, format);
  if (file) downloadBlob(new Blob([file.text], { type: file.type }), `${fileName(run.name)}.${file.ending}`);
}
