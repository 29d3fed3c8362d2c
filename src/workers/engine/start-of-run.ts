/** What a run trains, before its first step, as files and tensors that another trainer starts from. */
import { headTensors, readTensor, shapeOf } from '../../engine/methods/opened-tensors';
import { NETWORK } from '../../engine/methods/prompt-network';
import { readTensors } from '../../engine/methods/read-tensors';
import type { NamedTensors } from '../../engine/methods/tensors';
import type { LanguageModel } from '../../engine/models/model';
import type { TrainingStart } from '../../exports/trainers/training-data';
import { familyNamed, transformersName } from '../../families';
import { methodOf } from '../../methods';
import { inAdapterWords } from '../../methods/fit-adapter';
import { adapterFiles, type BaseName } from './adapter-files';
import { type HeadSource, type OpenAdapter, openMethod } from './adapters';
import type { StartJob } from './api';
import { beginningOf } from './assemble-job';

export async function startOfRun(
  base: LanguageModel,
  head: HeadSource,
  job: StartJob,
  names: BaseName,
): Promise<TrainingStart> {
  const { initial, recipe } = beginningOf(base, job);
  const opening = openMethod(base, recipe.method, {
    ...{ objective: recipe.objective.type, task: job.task, seed: recipe.training.seed },
    ...{ values: initial?.values, initText: job.initText, head },
  });
  const open = await (initial ? opening.catch((e) => Promise.reject(inAdapterWords(e, initial.base))) : opening);
  try {
    if (!methodOf(recipe.method).files) return { adapter: null, tensors: await headOf(open) };
    return { adapter: await adapterFiles(open, names, { toTrain: true }), tensors: await networkOf(open) };
  } finally {
    open.dispose();
  }
}

/** The head, under the names that transformers' class with a head has for it. */
async function headOf({ model, method }: OpenAdapter): Promise<NamedTensors> {
  const family = familyNamed(model.family);
  const tensors: NamedTensors = new Map();
  for (const tensor of headTensors(model)) {
    const { name } = tensor;
    const trained = method.trainable.get(name);
    const own = trained
      ? (await readTensors(new Map([[name, trained]]))).get(name)!
      : { shape: shapeOf(tensor), data: await readTensor(tensor) };
    tensors.set(transformersName(family, name), own);
  }
  return tensors;
}

/** An adapter's files have only what the network makes. */
const networkOf = ({ method }: OpenAdapter): Promise<NamedTensors> =>
  readTensors(new Map([...method.trainable].filter(([name]) => name.startsWith(NETWORK))));
