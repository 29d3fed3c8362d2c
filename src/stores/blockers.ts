/** Why a run cannot start now, each reason with the page where it can be fixed. Empty when it can start. */
import type { ErrorData } from '../base/errors';
import { useWaitingCode } from './code-consent';
import { useData } from './data';
import { useExports } from './exports';
import { useModel } from './model';
import type { PageName } from './pages';
import { usePlan } from './plan';
import { useRecipe } from './recipe';
import { useFields } from './select';

export interface Blocker {
  page: PageName;
  error: ErrorData;
  /** Nothing is wrong: something is still loading. */
  waiting?: boolean;
}

const waiting = (page: PageName, message: string): Blocker => ({
  page,
  error: { code: 'internal', message },
  waiting: true,
});

/** The page that a problem of the recipe belongs to, by its path. */
function pageOf(where: string | undefined): PageName {
  if (where?.startsWith('model')) return 'model';
  if (where === 'dataset.source' || where?.startsWith('dataset.columns')) return 'data';
  return 'recipe';
}

export function useBlockers(): Blocker[] {
  const problems = useRecipe((state) => state.problems);
  const unfinished = useRecipe((state) => state.draft !== null);
  const deviceProblem = useModel((state) => state.device?.problem);
  const model = useModel(useFields('status', 'error'));
  const data = useData(useFields('status', 'error', 'tokenError', 'tokenizing', 'tokens'));
  const plan = usePlan(useFields('forecast', 'error'));
  const waitingCode = useWaitingCode();
  const exporting = useExports((state) => state.state === 'working');
  const found: Blocker[] = problems.map((error) => ({ page: pageOf(error.where), error }));
  for (const error of waitingCode) found.push({ page: 'recipe', error });
  if (unfinished) {
    found.unshift({
      page: 'recipe',
      error: { code: 'bad_recipe', message: 'An edit of the recipe’s JSON is not finished.' },
    });
  }
  if (deviceProblem) found.push({ page: 'model', error: deviceProblem });
  else if (model.error) found.push({ page: 'model', error: model.error });
  if (data.error) found.push({ page: 'data', error: data.error });
  if (data.tokenError) found.push({ page: 'data', error: data.tokenError });
  if (plan.error) found.push({ page: 'recipe', error: plan.error });
  for (const error of plan.forecast?.blockers ?? []) {
    const known = found.some((other) => other.error.message === error.message);
    if (!known) found.push({ page: error.code === 'bad_data' ? 'data' : pageOf(error.where), error });
  }
  if (found.length > 0) return found;
  if (exporting) return [waiting('compare', 'An export is being written.')];
  if (model.status !== 'ready') return [waiting('model', 'The model is being opened.')];
  if (data.status !== 'ready') return [waiting('data', 'The dataset is being read.')];
  if (data.tokenizing || !data.tokens) return [waiting('data', 'The examples are being tokenised.')];
  if (!plan.forecast) return [waiting('recipe', 'The run is being planned.')];
  return [];
}
