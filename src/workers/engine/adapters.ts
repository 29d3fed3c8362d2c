/** Methods at work on a model: new, gone on from an adapter, or out of a checkpoint. */
import { TabtuneError } from '../../base/errors';
import type { TaskData } from '../../data/types';
import { createMethod } from '../../engine/methods';
import type { Method } from '../../engine/methods/method';
import type { NamedTensors } from '../../engine/methods/tensors';
import type { LanguageModel } from '../../engine/models/model';
import type { TaskHeadOptions } from '../../engine/models/task-head';
import { withTaskHead } from '../../engine/models/with-head';
import { underBlocks } from '../../formats/adapterhub';
import type { MethodSection, ObjectiveSection, Recipe } from '../../recipe/types';
import { barePrefix, type DecodedAdapter, decodeAdapter, renamed } from './adapter-files';
import type { AdapterFiles } from './api';

/** A method at work, on its model: one with a head of its own where the adapter has one. */
export interface OpenAdapter {
  model: LanguageModel;
  method: Method;
  settings: MethodSection;
  objective: ObjectiveSection['type'];
  dispose(): void;
}

/** What of a checkpoint its head is made of: BERT's pooler, and the head that it has already. */
export type HeadSource = Pick<TaskHeadOptions, 'source' | 'load'> & {
  stored?: { task: TaskData; values: NamedTensors };
};

/** Whether what a method learned can be added to weights. */
export const isMergeable = ({ type }: MethodSection) =>
  type !== 'bottleneck' && type !== 'prompt_tuning' && type !== 'prefix_tuning' && type !== 'p_tuning';

/** A method from tensors by name, on the model or on one with the head that the tensors need. */
export async function openMethod(
  base: LanguageModel,
  settings: MethodSection,
  options: {
    objective: ObjectiveSection['type'];
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
  const { section, values, task } = adapter;
  if (section.type === 'bottleneck') return { ...adapter, values: underBlocks(values, model.blockPaths) };
  const prefix = task ? barePrefix(model) : '';
  if (prefix === '') return adapter;
  const bare = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  return {
    task,
    values: renamed(values, bare),
    section:
      section.type === 'lora' && section.target_modules !== 'all-linear'
        ? { ...section, target_modules: section.target_modules.map(bare) }
        : section,
  };
}

const objectiveOf = (task: TaskData | null, kind: LanguageModel['kind']): ObjectiveSection['type'] => {
  if (!task) return kind === 'encoder' ? 'masked_lm' : 'sft';
  return task.problemType === 'token_classification' ? 'token_classification' : 'sequence_classification';
};

/** An adapter on a model. Throws bad_adapter where it does not fit. */
export function openAdapter(base: LanguageModel, files: AdapterFiles, head?: HeadSource): Promise<OpenAdapter> {
  const { section, task, values } = fitNames(base, decodeAdapter(files));
  return openMethod(base, section, { objective: objectiveOf(task, base.kind), task, seed: 0, values, head });
}

/** The recipe with what an adapter to continue from decides: its rank, alpha, targets; what concerns training alone stays. */
export function continuedRecipe(recipe: Recipe, section: MethodSection): Recipe {
  const { method } = recipe;
  if (method.type !== section.type) {
    throw new TabtuneError({
      code: 'bad_adapter',
      message: `The adapter to continue from is ${section.type}, and the recipe trains ${method.type}.`,
      where: 'method.init_adapter',
      action: `Set method.type to ${section.type}, or start anew.`,
    });
  }
  const own = 'init_adapter' in method ? { init_adapter: method.init_adapter } : {};
  const training =
    method.type === 'lora' ? { lora_dropout: method.lora_dropout, loraplus_lr_ratio: method.loraplus_lr_ratio } : {};
  return { ...recipe, method: { ...section, ...own, ...training } as MethodSection };
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
