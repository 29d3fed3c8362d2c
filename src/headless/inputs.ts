/** The files and folders that the script has handed over, taken into the session. */
import { TabtuneError } from '../base/errors';
import type { Recipe } from '../recipe/types';
import { rewardsOf } from '../rewards';
import type { Session } from '../session/api';
import { host } from './host';
import type { RunOptions } from './protocol';

export function filesOf(input: string, folder: string): { path: string; file: File }[] {
  return host()
    .files(input)
    .map((file) => ({ path: `${folder}/${file.name}`, file }));
}

/** The mix under the sources that its files have here; the script hands them over in the order of the recipe. */
export async function importMix(
  session: Session,
  { source, mix }: Recipe['dataset'],
  here: string,
): Promise<Record<string, number>> {
  const files = filesOf('mix', '');
  const weights: Record<string, number> = {};
  for (const [other, weight] of Object.entries(mix)) {
    if (other === source) weights[here] = weight;
    else if (!other.startsWith('file:')) weights[other] = weight;
    else {
      const { file } = files.shift()!;
      const name = await session.importDataset(file);
      if (name === here || name in weights) {
        throw new TabtuneError({
          code: 'bad_recipe',
          message: `Two files of the mix are called ${file.name}.`,
          where: 'dataset.mix',
          action: 'Rename one of them.',
        });
      }
      weights[name] = weight;
    }
  }
  return weights;
}

/** The method that continues the adapter, and the objective whose rewards are judged by the other one, if they were handed over. */
export async function importAdapters(
  session: Session,
  { method, objective }: Recipe,
  { adapterFolder, rewardFolder }: Pick<RunOptions, 'adapterFolder' | 'rewardFolder'>,
): Promise<Pick<Recipe, 'method' | 'objective'>> {
  const taken = { method, objective };
  if (adapterFolder !== null) {
    const { name } = await session.importAdapter(filesOf('adapter', adapterFolder));
    if (!('init_adapter' in method)) throw noAdapter(method.type);
    taken.method = { ...method, init_adapter: `file:${name}` };
  }
  if (rewardFolder !== null) {
    // Adapters are known by their folders' names, and all that the script writes are called adapter.
    const { name } = await session.importAdapter(filesOf('reward-model', `reward-${rewardFolder}`));
    taken.objective = judgedBy(objective, `file:${name}`);
  }
  return taken;
}

/** The objective whose reward models from files are this one. */
function judgedBy(objective: Recipe['objective'], source: string): Recipe['objective'] {
  const rewards = rewardsOf(objective).map((reward) =>
    reward.type === 'reward_model' && reward.source.startsWith('file:') ? { ...reward, source } : reward,
  );
  return { ...objective, rewards } as Recipe['objective'];
}

const noAdapter = (method: string) =>
  new TabtuneError({
    code: 'bad_recipe',
    message: `${method} cannot continue from an adapter.`,
    where: 'method.type',
    action: 'Remove the adapter, or use the method it was trained with.',
  });
