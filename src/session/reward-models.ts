/** The reward models that a run's rewards name: what the engine cannot find itself goes along, and what cannot work is refused. */
import { type ErrorCode, TabtuneError } from '../base/errors';
import type { AdapterFiles } from '../formats/adapter-format';
import type { Recipe } from '../recipe/types';
import { rewardsOf } from '../rewards';
import { checkpointInfo } from '../storage/checkpoints';
import { getRun } from '../storage/runs';

/** The adapters of `file:` sources. Throws at the reward whose model cannot be used, before a run exists. */
export async function rewardModelFiles(
  { objective, model }: Pick<Recipe, 'objective' | 'model'>,
  adapterFiles: (source: string) => Promise<AdapterFiles>,
): Promise<Record<string, AdapterFiles>> {
  const files: Record<string, AdapterFiles> = {};
  for (const [i, reward] of rewardsOf(objective).entries()) {
    if (reward.type !== 'reward_model') continue;
    const { source } = reward;
    const refuse = (code: ErrorCode, message: string, action: string): never => {
      throw new TabtuneError({ code, message, where: `objective.rewards.${i}.source`, action });
    };
    if (source.startsWith('run:')) await checkRun(source.slice('run:'.length), model.source, refuse);
    else {
      files[source] = await adapterFiles(source).catch(() =>
        refuse(
          'bad_adapter',
          `The adapter ${source.replace(/^file:/, '')} is not open in this tab.`,
          'Open its folder or zip first.',
        ),
      );
    }
  }
  return files;
}

async function checkRun(
  id: string,
  model: string,
  refuse: (code: ErrorCode, message: string, action: string) => never,
): Promise<void> {
  const run = await getRun(id);
  if (!run) return refuse('storage', `There is no run ${id} in this browser.`, 'Choose a run that is stored here.');
  if (run.recipe.model.source !== model) {
    refuse(
      'bad_adapter',
      `“${run.name}” was trained on ${run.recipe.model.source}, and this run trains ${model}.`,
      'A reward model works on the model that it was trained on: choose that one, or another reward model.',
    );
  }
  if (run.task?.problemType !== 'regression' || run.task.labels.length !== 1) {
    refuse('bad_adapter', `“${run.name}” does not score texts.`, 'Choose a run with the objective reward.');
  }
  const kept = (await checkpointInfo(id, 'best')) ?? (await checkpointInfo(id, 'latest'));
  if (!kept) {
    refuse('storage', `“${run.name}” ended before anything was saved.`, 'Train it again, or choose another run.');
  }
}
