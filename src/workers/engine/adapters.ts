/** Methods at work on a model: new, gone on from an adapter, or out of a checkpoint. */
import type { TaskData } from '../../base/task';
import type { NamedTensors } from '../../engine/methods/tensors';
import type { LanguageModel } from '../../engine/models/model';
import type { TaskHeadOptions } from '../../engine/models/task-head';
import { type Attached, type AttachOptions, attachMethod } from '../../engine/run/assemble';
import type { AdapterFiles } from '../../formats/adapter-format';
import { type MethodSection, methodOf } from '../../methods';
import { type DecodedAdapter, decodeAdapter } from '../../methods/read-adapter';
import { type ObjectiveType, objectiveOfTask } from '../../objectives';
import { adapterModel } from './adapter-model';

/** A method at work, on its model: one with a head of its own where the adapter has one. */
export interface OpenAdapter extends Attached {
  settings: MethodSection;
  objective: ObjectiveType;
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
  const { objective, task, values, head, ...rest } = options;
  const attached = await attachMethod(base, settings, {
    ...rest,
    task,
    values: () => values,
    head: headOptions(task, values, head),
  });
  return { ...attached, settings, objective };
}

/** How a head for the task is made: from the given tensors, else from the checkpoint's own head if that has the same labels. */
export function headOptions(
  task: TaskData | null,
  values?: NamedTensors,
  { stored, ...source }: HeadSource = {},
): AttachOptions['head'] {
  const same =
    stored?.task.problemType === task?.problemType && stored?.task.labels.join('\n') === task?.labels.join('\n');
  return { ...source, values: new Map([...(stored && same ? stored.values : []), ...(values ?? [])]) };
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
