/** Between the files that adapters lie in and the engine's methods. */
import { TabtuneError } from '../base/errors';
import type { TaskData } from '../data/types';
import { createMethod } from '../engine/methods';
import { ia3Export, loraExport } from '../engine/methods/export';
import type { Method } from '../engine/methods/method';
import type { NamedTensors } from '../engine/methods/tensors';
import type { LanguageModel } from '../engine/models/model';
import type { TaskHeadOptions } from '../engine/models/task-head';
import { withTaskHead } from '../engine/models/with-head';
import { type PeftAdapter, type PeftTask, readPeft, writePeft } from '../formats/peft';
import type { MethodSection, ObjectiveSection, Recipe } from '../recipe/types';
import type { AdapterFiles } from './engine-api';

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

/** What an adapter's files say, before there is a model. */
export interface DecodedAdapter {
  section: MethodSection;
  values: NamedTensors;
  /** What the head is for; null without one. */
  task: TaskData | null;
}

const ENCODER_PREFIXES: Record<string, string> = { bert: 'bert.', roberta: 'roberta.', distilbert: 'distilbert.' };

/** A bare encoder's tensors go by names without the prefix that transformers' class with a head puts before them. */
export function barePrefix(model: LanguageModel): string {
  const prefix = ENCODER_PREFIXES[model.family] ?? '';
  return model.blockPaths[0]!.startsWith(prefix) ? '' : prefix;
}

function rename(tensors: NamedTensors, name: (old: string) => string): NamedTensors {
  return new Map([...tensors].map(([old, tensor]) => [name(old), tensor]));
}

const TASKS: Record<string, TaskData['problemType']> = {
  SEQ_CLS: 'single_label_classification',
  TOKEN_CLS: 'token_classification',
};

/** The labels of a head that nobody has named. */
function unnamedTask({ config, tensors }: PeftAdapter): TaskData | null {
  const problemType = TASKS[config.task_type ?? ''];
  const output = [...tensors].find(([name]) => /(^|\.)(score|classifier|out_proj)\.weight$/.test(name));
  if (!problemType || !output) return null;
  const count = output[1].shape[0]!;
  return { problemType, labels: Array.from({ length: count }, (_, i) => `LABEL_${i}`) };
}

/** Modules that PEFT saves with every classifier; what else is saved was asked for. */
const HEADS = ['classifier', 'score'];

const moduleNames = (adapter: PeftAdapter, suffix: RegExp) =>
  [...adapter.tensors.keys()].flatMap((name) => (suffix.test(name) ? [name.replace(suffix, '')] : []));

/** Throws bad_adapter. */
export function decodeAdapter(files: AdapterFiles): DecodedAdapter {
  const adapter = readPeft(files);
  const { config, tensors: values } = adapter;
  const task = files.task ?? unnamedTask(adapter);
  const saved = (config.modules_to_save ?? []).filter((name) => !task || !HEADS.includes(name));
  // New heads are opened by themselves; naming them again would ask for modules that the base does not have.
  const modules_to_save = task ? saved.filter((name) => name !== 'pre_classifier' && name !== 'pooler') : saved;
  return { section: sectionOf(adapter, modules_to_save), values, task };
}

function sectionOf(adapter: PeftAdapter, modules_to_save: string[]): MethodSection {
  switch (adapter.type) {
    case 'LORA': {
      const { r, lora_alpha, lora_dropout, use_rslora, use_dora, rank_pattern, alpha_pattern } = adapter.config;
      return {
        type: 'lora',
        ...{ r, lora_alpha, lora_dropout, use_rslora, use_dora, rank_pattern, alpha_pattern, modules_to_save },
        // The tensors say what the names matched.
        target_modules: moduleNames(adapter, /\.lora_A\.weight$/),
        init_lora_weights: 'default',
        loraplus_lr_ratio: 1,
        init_adapter: null,
      };
    }
    case 'IA3': {
      const { target_modules, feedforward_modules } = adapter.config;
      return { type: 'ia3', target_modules, feedforward_modules, modules_to_save, init_adapter: null };
    }
    default:
      throw new TabtuneError({
        code: 'bad_adapter',
        message: `Adapters of the type ${adapter.type} cannot be opened.`,
        where: 'adapter_config.json, peft_type',
        action: 'Train a new one instead.',
      });
  }
}

/** How the rest of the ecosystem calls a task; what has no name there is told by the model's class. */
const peftTasks: Record<ObjectiveSection['type'], PeftTask> = {
  sft: 'CAUSAL_LM',
  pretraining: 'CAUSAL_LM',
  sequence_classification: 'SEQ_CLS',
  token_classification: 'TOKEN_CLS',
  masked_lm: null,
};
const MASKED_LM_CLASSES: Record<string, string> = {
  bert: 'BertForMaskedLM',
  roberta: 'RobertaForMaskedLM',
  distilbert: 'DistilBertForMaskedLM',
};

/** Whether a method's own tensors are files of their own; the others are parts of the model, and leave as a model folder. */
export const isAdapter = ({ type }: MethodSection) =>
  type !== 'full' && type !== 'gradual_unfreezing' && type !== 'head';

/** Whether what a method learned can be added to weights. */
export const isMergeable = ({ type }: MethodSection) =>
  type !== 'bottleneck' && type !== 'prompt_tuning' && type !== 'prefix_tuning' && type !== 'p_tuning';

/** The adapter in the layout that its ecosystem uses. */
export async function adapterFiles(
  { model, method, settings, objective }: OpenAdapter,
  baseModel: string,
): Promise<AdapterFiles> {
  const { task } = model;
  const masked = objective === 'masked_lm' ? MASKED_LM_CLASSES[model.family] : undefined;
  const given = settings.type === 'lora' || settings.type === 'ia3' ? settings.modules_to_save : [];
  const saved = [...new Set([...given, ...(task ? [...HEADS, ...task.modules] : [])])];
  const common = {
    base_model_name_or_path: baseModel,
    task_type: peftTasks[objective],
    auto_mapping: masked
      ? { base_model_class: masked, parent_library: `transformers.models.${model.family}.modeling_${model.family}` }
      : null,
    modules_to_save: saved.length > 0 ? saved : null,
  };
  // Where transformers' class with a head has a prefix, names of a bare encoder need it.
  const prefix = task ? barePrefix(model) : '';
  const isHead = (name: string) => model.tensors.some((tensor) => tensor.task && tensor.name === name);
  const named = (tensors: NamedTensors) => rename(tensors, (name) => (isHead(name) ? name : prefix + name));
  const labels = task ? { task: { labels: task.labels, problemType: task.problemType } } : {};
  switch (settings.type) {
    case 'lora': {
      const { config, tensors } = await loraExport(model, method, settings);
      return { ...writePeft({ type: 'LORA', config: { ...common, ...config }, tensors: named(tensors) }), ...labels };
    }
    case 'ia3': {
      const { config, tensors } = await ia3Export(model, method, settings);
      return { ...writePeft({ type: 'IA3', config: { ...common, ...config }, tensors: named(tensors) }), ...labels };
    }
    default:
      throw new TabtuneError({
        code: 'bad_adapter',
        message: 'This method trains the model itself, so there is no adapter apart from it.',
        where: 'method.type',
        action: 'Export the whole model.',
      });
  }
}

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
  const { objective, task, seed, values, signal, head } = options;
  const model = task ? await withTaskHead(base, task, { seed, ...headOf(task, values, head) }) : base;
  const dropHead = () => {
    if (model !== base) model.dispose();
  };
  try {
    const method = await createMethod(model, settings, { seed, values, signal });
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

/** An adapter's values by the names of this model. */
export function valuesFor(model: LanguageModel, { values, task }: DecodedAdapter): NamedTensors {
  const prefix = task ? barePrefix(model) : '';
  if (prefix === '') return values;
  return rename(values, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name));
}

const objectiveOf = (task: TaskData | null): ObjectiveSection['type'] => {
  if (!task) return 'sft';
  return task.problemType === 'token_classification' ? 'token_classification' : 'sequence_classification';
};

/** An adapter on a model. Throws bad_adapter where it does not fit. */
export function openAdapter(base: LanguageModel, files: AdapterFiles, head?: HeadSource): Promise<OpenAdapter> {
  const decoded = decodeAdapter(files);
  const { section, task } = decoded;
  const values = valuesFor(base, decoded);
  const bare = barePrefix(base);
  const settings =
    bare !== '' && task && section.type === 'lora'
      ? { ...section, target_modules: (section.target_modules as string[]).map((path) => withoutPrefix(path, bare)) }
      : section;
  return openMethod(base, settings, { objective: objectiveOf(task), task, seed: 0, values, head });
}

const withoutPrefix = (path: string, prefix: string) => (path.startsWith(prefix) ? path.slice(prefix.length) : path);

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
