/** Starting and resuming a run, from any page. */
import { minimalInput } from '../../recipe/diff';
import type { Recipe } from '../../recipe/types';
import { type RewardSection, rewardsOf } from '../../rewards';
import type { ChangedInputs } from '../../session/api';
import type { RunRecord } from '../../storage/types';
import { outcomeOf } from '../../stores/announcements';
import { useCompare } from '../../stores/compare';
import { usePreferences } from '../../stores/preferences';
import { useRecipe } from '../../stores/recipe';
import { useScreen } from '../../stores/screen';
import { useTraining } from '../../stores/training';
import { navigate } from './route';

function notify(run: RunRecord): void {
  const wanted = usePreferences.getState().notifyWhenDone && document.hidden;
  if (!wanted || !('Notification' in window) || Notification.permission !== 'granted') return;
  new Notification(run.name, { body: outcomeOf(run), tag: run.id });
}

async function follow(work: Promise<RunRecord | null>, stay = false): Promise<void> {
  useScreen.getState().closeDialog();
  if (!stay) navigate('train');
  const run = await work;
  if (!run) return;
  notify(run);
  const learned = run.status === 'completed' || run.status === 'stopped' || run.status === 'early_stopped';
  const sameModel = useRecipe.getState().recipe.model.source === run.recipe.model.source;
  if (learned && sameModel) await useCompare.getState().openRun(run);
}

export function startTraining(): void {
  void follow(useTraining.getState().start(useRecipe.getState().recipe));
}

/** Starts a run whose progress is shown on the open page. */
export function trainHere(): void {
  void follow(useTraining.getState().start(useRecipe.getState().recipe), true);
}

/** The rewards on the screen, where a run failed for its own and these are the same ones, mended. */
function mendedRewards({ error, recipe }: RunRecord, screen: Recipe): readonly RewardSection[] | undefined {
  const rest = ({ name: _, objective, ...others }: Recipe) => JSON.stringify([others, { ...objective, rewards: null }]);
  // Rewards of another recipe may have the same names.
  if (error?.code !== 'bad_reward' || rest(recipe) !== rest(screen)) return undefined;
  const [before, now] = [rewardsOf(recipe.objective), rewardsOf(screen.objective)];
  const named = (rewards: readonly RewardSection[]) => JSON.stringify(rewards.map(({ type, name }) => [type, name]));
  const others = named(before) !== named(now) || JSON.stringify(before) === JSON.stringify(now);
  return others ? undefined : now;
}

/** `changed`: what to do if its data or model is not what it was trained on; by default the person is asked. */
export function continueRun(run: RunRecord, changed?: ChangedInputs): void {
  const mended = mendedRewards(run, useRecipe.getState().recipe);
  const recipe = mended ? { ...run.recipe, objective: { ...run.recipe.objective, rewards: mended } } : run.recipe;
  // The run needs its own model open, and the screen should show its recipe.
  useRecipe.getState().replace(minimalInput(recipe as Recipe));
  void follow(useTraining.getState().resumeRun(run, changed, mended));
}

/** A new run with the recipe of an earlier one, which stays as it is. */
export function startAgain(run: RunRecord): void {
  useRecipe.getState().replace(minimalInput(run.recipe));
  void follow(useTraining.getState().start(run.recipe));
}
