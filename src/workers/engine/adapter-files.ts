/** The files that an open adapter is saved in, in the layout of its ecosystem. */
import { TabtuneError } from '../../base/errors';
import { moduleOf } from '../../base/saved-modules';
import { exportedMethod } from '../../engine/methods';
import { headTensors, readTensor, shapeOf } from '../../engine/methods/opened-tensors';
import type { NamedTensors } from '../../engine/methods/tensors';
import type { LanguageModel, ModelTensor } from '../../engine/models/model';
import type { AdapterFiles } from '../../formats/adapter-format';
import { modelClass } from '../../formats/adapterhub';
import { labelsFile } from '../../formats/labels';
import { methodOf } from '../../methods';
import { isSavedIn } from '../../methods/peft-saved';
import { objectiveOf } from '../../objectives';
import { adapterModel } from './adapter-model';
import type { OpenAdapter } from './adapters';

/** Where an adapter's base comes from, for its config. */
export interface BaseName {
  /** `ORG/NAME` of the Hub, or a folder's name. */
  name: string;
  /** Its commit there. */
  revision: string | null;
}

/** `toTrain`: as another trainer starts from them, with nothing folded into the weights. */
export async function adapterFiles(open: OpenAdapter, base: BaseName, { toTrain = false } = {}): Promise<AdapterFiles> {
  const { model, method, settings } = open;
  const { files: format } = methodOf(settings);
  if (!format) {
    throw new TabtuneError({
      code: 'bad_adapter',
      message: 'This method trains the model itself, so there is no separate adapter.',
      where: 'method.type',
      action: 'Export the whole model.',
    });
  }
  const { classification: classifier = null } = model.heads;
  const { taskType } = objectiveOf({ type: open.objective });
  const { config, tensors } = await exportedMethod(model, method, settings, { toTrain });
  const output = await tiedOutput(model, tensors);
  const names = methodOf(settings).modulesToSave?.(settings) ?? [];
  const idle = model.idle.filter(({ name }) => isSavedIn(model, name, names));
  for (const tensor of idle) output.tensors.set(tensor.name, await baseValues(tensor));
  const files = format.write({
    section: settings,
    model: adapterModel(model),
    base,
    exported: config,
    tensors: new Map([...tensors, ...output.tensors]),
    savedBeside: output.modules,
    headTensors: new Set(headTensors(model).map(({ name }) => name)),
    task: classifier,
    // A masked language model has no task type; its class tells PEFT how to open it.
    objective: { taskType, modelClass: taskType === null ? modelClass(model.family, 'language_model') : null },
  });
  return classifier ? [...files, labelsFile(classifier)] : files;
}

/** What a person should know about an adapter's files, a sentence each. `base` is the model without it. */
export function adapterNotes({ model, method }: Pick<OpenAdapter, 'model' | 'method'>, base: LanguageModel): string[] {
  if (model.ties.some(({ of }) => method.opened?.has(of))) return [TIED];
  return !model.heads.classification && base.ties.length > 0 && model.ties.length === 0 ? [APART] : [];
}

const TIED =
  'The output projection of this model is its embedding, so both were trained as one. The files hold the trained values under both names, because PEFT would otherwise leave the output projection as it was.';
const APART =
  'The output projection of this model is its embedding, but this adapter has the two apart, as PEFT does when it saves either. A model that it is merged into holds both (tie_word_embeddings: false).';

/**
 * The modules of a trained embedding's other uses, with everything in them: PEFT copies a tied embedding that it saves, and the
 * output projection stays as in the base unless the file has it too.
 */
async function tiedOutput(
  model: LanguageModel,
  trained: NamedTensors,
): Promise<{ modules: string[]; tensors: NamedTensors }> {
  const modules = new Set(model.ties.filter(({ of }) => trained.has(of)).map(({ name }) => moduleOf(name)));
  const tensors: NamedTensors = new Map();
  const byName = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const valuesOf = async (name: string) => trained.get(name) ?? (await baseValues(byName.get(name)!));
  for (const { name, of } of model.ties) if (modules.has(moduleOf(name))) tensors.set(name, await valuesOf(of));
  for (const { name } of model.tensors) {
    if (modules.has(moduleOf(name)) && !trained.has(name)) tensors.set(name, await valuesOf(name));
  }
  return { modules: [...modules], tensors };
}

const baseValues = async (tensor: ModelTensor) => ({ shape: shapeOf(tensor), data: await readTensor(tensor) });
