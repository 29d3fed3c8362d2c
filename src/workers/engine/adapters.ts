/** Methods attached to a model: new, continued from an adapter, or from a checkpoint. */
import type { TaskData } from '../../base/task';
import type { NamedTensors } from '../../engine/methods/tensors';
import type { LanguageModel } from '../../engine/models/model';
import type { TaskHeadOptions } from '../../engine/models/task-head';
import { type Attached, type AttachOptions, attachMethod } from '../../engine/run/attach';
import type { AdapterFiles } from '../../formats/adapter-format';
import { type MethodSection, methodOf } from '../../methods';
import { inAdapterWords } from '../../methods/fit-adapter';
import { type DecodedAdapter, decodeAdapter } from '../../methods/read-adapter';
import { type ObjectiveType, objectiveOfTask } from '../../objectives';
import { adapterModel } from './adapter-model';

/** A method on its model, which has a head if the adapter has one. */
export interface OpenAdapter extends Attached {
  settings: MethodSection;
  objective: ObjectiveType;
}

/** Where a head's tensors come from in a checkpoint: BERT's pooler, and the checkpoint's own head. */
export type HeadSource = Pick<TaskHeadOptions, 'source' | 'load'> & {
  stored?: { task: TaskData; values: NamedTensors };
};

/** A method from tensors by name, on the model with the head that the task needs. */
export async function openMethod(
  base: LanguageModel,
  settings: MethodSection,
  options: {
    objective: ObjectiveType;
    task: TaskData | null;
    seed: number;
    values?: NamedTensors;
    /** Tokens of the method's initial text. */
    initText?: Int32Array;
    signal?: AbortSignal;
    head?: HeadSource;
  },
): Promise<OpenAdapter> {
  const { objective, task, values, head, ...rest } = options;
  const attached = await attachMethod(base, settings, {
    ...rest,
    task,
    values: () => values,
    head: headOptions(task, values, head),
  });
  return { ...attached, settings, objective };
}

/**
 * How a head for the task is made: from the given tensors, else from the checkpoint's own head if that has the same
 * labels. A head for one number is the same whatever the number is called: a reward model's label has no name elsewhere.
 */
export function headOptions(
  task: TaskData | null,
  values?: NamedTensors,
  { stored, ...source }: HeadSource = {},
): AttachOptions['head'] {
  const same =
    stored?.task.problemType === task?.problemType &&
    (task?.problemType === 'regression' || stored?.task.labels.join('\n') === task?.labels.join('\n'));
  return { ...source, values: new Map([...(stored && same ? stored.values : []), ...(values ?? [])]) };
}

/**
 * An adapter with this model's tensor names: a bare encoder's have no prefix, those of its class with a head have one. Throws
 * bad_adapter if it changes layers that the model lacks.
 */
export function fitNames(model: LanguageModel, adapter: DecodedAdapter): DecodedAdapter {
  return methodOf(adapter.section).files!.fit(adapter, adapterModel(model));
}

/** An adapter on a model. Throws bad_adapter if it does not fit. */
export async function openAdapter(base: LanguageModel, files: AdapterFiles, head?: HeadSource): Promise<OpenAdapter> {
  const { section, task, values, base: madeFor } = fitNames(base, decodeAdapter(files));
  const objective = objectiveOfTask(task, base.kind).type;
  try {
    return await openMethod(base, section, { objective, task, seed: 0, values, head });
  } catch (cause) {
    throw inAdapterWords(cause, madeFor);
  }
}
