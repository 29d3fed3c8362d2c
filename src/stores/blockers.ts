/** Why a run cannot start now, each with the page where it is put right. Empty when it can. */
import type { ErrorData } from '../base/errors';
import { useData } from './data';
import { useMerge } from './merge';
import { useModel } from './model';
import { usePlan } from './plan';
import { useRecipe } from './recipe';

export type PageName = 'model' | 'data' | 'recipe' | 'train' | 'compare';

export interface Blocker {
  page: PageName;
  error: ErrorData;
  /** Nothing is wrong: it is still being loaded. */
  waiting?: boolean;
}

const waiting = (page: PageName, message: string): Blocker => ({
  page,
  error: { code: 'internal', message },
  waiting: true,
});

/** Which page a problem of the recipe belongs to, by its path. */
function pageOf(where: string | undefined): PageName {
  if (where?.startsWith('model')) return 'model';
  if (where === 'dataset.source' || where?.startsWith('dataset.columns')) return 'data';
  return 'recipe';
}

export function useBlockers(): Blocker[] {
  const problems = useRecipe((state) => state.problems);
  const model = useModel();
  const data = useData();
  const plan = usePlan();
  const merging = useMerge((state) => state.state === 'merging');
  const found: Blocker[] = problems.map((error) => ({ page: pageOf(error.where), error }));
  if (model.device?.problem) found.push({ page: 'model', error: model.device.problem });
  else if (model.error) found.push({ page: 'model', error: model.error });
  if (data.error) found.push({ page: 'data', error: data.error });
  if (data.tokenError) found.push({ page: 'data', error: data.tokenError });
  if (plan.error) found.push({ page: 'recipe', error: plan.error });
  for (const error of plan.forecast?.blockers ?? []) {
    const known = found.some((other) => other.error.message === error.message);
    if (!known) found.push({ page: error.code === 'bad_data' ? 'data' : pageOf(error.where), error });
  }
  if (found.length > 0) return found;
  if (merging) return [waiting('compare', 'The merged model is being exported.')];
  if (model.status !== 'ready') return [waiting('model', 'The model is being opened.')];
  if (data.status !== 'ready') return [waiting('data', 'The dataset is being read.')];
  if (data.tokenizing || !data.tokens) return [waiting('data', 'The examples are being turned into tokens.')];
  if (!plan.forecast) return [waiting('recipe', 'The run is being planned.')];
  return [];
}
