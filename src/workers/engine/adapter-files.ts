/** The files that an open adapter is saved in, in the layout of its ecosystem. */
import { TabtuneError } from '../../base/errors';
import { exportedMethod } from '../../engine/methods';
import { headTensors } from '../../engine/methods/opened-tensors';
import type { AdapterFiles } from '../../formats/adapter-format';
import { modelClass } from '../../formats/adapterhub';
import { labelsFile } from '../../formats/labels';
import { methodOf } from '../../methods';
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

export async function adapterFiles(open: OpenAdapter, base: BaseName): Promise<AdapterFiles> {
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
  const { config, tensors } = await exportedMethod(model, method, settings);
  const files = format.write({
    section: settings,
    model: adapterModel(model),
    base,
    exported: config,
    tensors,
    headTensors: new Set(headTensors(model).map(({ name }) => name)),
    task: classifier,
    // A masked language model has no task type; its class tells PEFT how to open it.
    objective: { taskType, modelClass: taskType === null ? modelClass(model.family, 'language_model') : null },
  });
  return classifier ? [...files, labelsFile(classifier)] : files;
}
