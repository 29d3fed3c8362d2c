/** Methods at work on a model: new, gone on from an adapter, or out of a checkpoint. */
import type { TaskData } from '../../base/task';
import { createMethod } from '../../engine/methods';
import type { Method } from '../../engine/methods/method';
import type { NamedTensors } from '../../engine/methods/tensors';
import type { LanguageModel } from '../../engine/models/model';
import type { TaskHeadOptions } from '../../engine/models/task-head';
import { withTaskHead } from '../../engine/models/with-head';
import type { AdapterFiles } from '../../formats/adapter-format';
import { type MethodSection, methodOf } from '../../methods';
import { type DecodedAdapter, decodeAdapter } from '../../methods/read-adapter';
import { type ObjectiveType, objectiveOfTask } from '../../objectives';
import { adapterModel } from './adapter-model';

/** A method at work, on its model: one with a head of its own where the adapter has one. */
export interface OpenAdapter {
  model: LanguageModel;
  method: Method;
  settings: MethodSection;
  objective: ObjectiveType;
  dispose(): void;
}

/** What of a checkpoint its head is made of: BERT's pooler, and the head that it has already. */
export type HeadSource = Pick<TaskHeadOptions, 'source' | 'load'> & {
  stored?: { task: TaskData; values: NamedTensors };
};

/** A method from tensors by name, on the model or on one with the head that the tensors need. */
export async function openMethod(
  base: LanguageModel,
  settings: MethodSection,
  options: {
    objective: ObjectiveType;
    task: TaskData | null;
    seed: number;
    values?: NamedTensors;
    /** The tokens of the method's initial text; none when left out. */
    initText?: Int32Array;
    signal?: AbortSignal;
    head?: HeadSource;
  },
): Promise<OpenAdapter> {
  const { objective, task, seed, values, initText, signal, head } = options;
  const model = task ? await withTaskHead(base, task, { seed, ...headOf(task, values, head) }) : base;
  const dropHead = () => {
    if (model !== base) model.dispose();
  };
  try {
    const method = await createMethod(model, settings, { seed, values, initText, signal });
    const dispose = () => {
      method.dispose();
      dropHead();
    };
    return { model, method, settings, objective, dispose };
  } catch (error) {
    dropHead();
    throw error;
  }
}

/** The checkpoint's own head is gone on from where it is for the same labels. */
function headOf(task: TaskData, values?: NamedTensors, { stored, ...head }: HeadSource = {}) {
  const same =
    stored?.task.problemType === task.problemType && stored.task.labels.join('\n') === task.labels.join('\n');
  return { ...head, values: new Map([...(same ? stored.values : []), ...(values ?? [])]) };
}

/** An adapter by the names of this model: a bare encoder's have no prefix, those of its class with a head have one. */
export function fitNames(model: LanguageModel, adapter: DecodedAdapter): DecodedAdapter {
  return methodOf(adapter.section).files!.fit(adapter, adapterModel(model));
}

/** An adapter on a model. Throws bad_adapter where it does not fit. */
export function openAdapter(base: LanguageModel, files: AdapterFiles, head?: HeadSource): Promise<OpenAdapter> {
  const { section, task, values } = fitNames(base, decodeAdapter(files));
  return openMethod(base, section, { objective: objectiveOfTask(task, base.kind).type, task, seed: 0, values, head });
}

/** The tensors of a checkpoint that make its method: trained ones and constants. */
export function checkpointValues(tensors: NamedTensors): NamedTensors {
  const values: NamedTensors = new Map();
  for (const [name, tensor] of tensors) {
    const own = /^(?:adapter|constant)\/(.*)$/.exec(name)?.[1];
    if (own !== undefined) values.set(own, tensor);
  }
  return values;
}
