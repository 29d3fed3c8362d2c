/** The files that adapters lie in: PEFT's folder, AdapterHub's for bottlenecks, and the names of a head's labels beside them. */
import { TabtuneError } from '../../base/errors';
import type { TaskData } from '../../data/types';
import { ia3Export, loraExport } from '../../engine/methods/export';
import { headTensors } from '../../engine/methods/full';
import type { Method } from '../../engine/methods/method';
import { PROMPT_EMBEDDINGS } from '../../engine/methods/prompt-tuning';
import type { NamedTensors } from '../../engine/methods/tensors';
import type { LanguageModel } from '../../engine/models/model';
import { readFloats } from '../../engine/webgpu/backend';
import { familyNamed, headModules, isLabelWeight } from '../../families';
import {
  type BottleneckAdapter,
  isAdapterHub,
  modelClass,
  readAdapterHub,
  writeAdapterHub,
} from '../../formats/adapterhub';
import { type PeftAdapter, type PeftTask, peftFolder, readPeft, readPeftFolder, writePeft } from '../../formats/peft';
import type { BottleneckMethod, MethodSection, ObjectiveSection } from '../../recipe/types';
import type { OpenAdapter } from './adapters';
import type { AdapterFiles } from './api';

/** What an adapter's files say, before there is a model. */
export interface DecodedAdapter {
  section: MethodSection;
  values: NamedTensors;
  /** What the head is for; null without one. */
  task: TaskData | null;
}

/** A bare encoder's tensors go by names without the prefix that transformers' class with a head puts before them. */
export function barePrefix(model: LanguageModel): string {
  const { prefix = '' } = familyNamed(model.family);
  return model.blockPaths[0]!.startsWith(prefix) ? '' : prefix;
}

export function renamed(tensors: NamedTensors, name: (old: string) => string): NamedTensors {
  return new Map([...tensors].map(([old, tensor]) => [name(old), tensor]));
}

const PROBLEM_TYPES: readonly TaskData['problemType'][] = [
  'single_label_classification',
  'multi_label_classification',
  'regression',
  'token_classification',
];

const TASKS: Record<string, TaskData['problemType']> = {
  SEQ_CLS: 'single_label_classification',
  TOKEN_CLS: 'token_classification',
};

/** The labels of a head that nobody has named. */
function unnamedTask({ config, tensors }: PeftAdapter): TaskData | null {
  const problemType = TASKS[config.task_type ?? ''];
  const output = [...tensors].find(([name]) => isLabelWeight(name));
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
  if (isAdapterHub(files)) return decodeHub(readAdapterHub(files), readLabels(files));
  const adapter = readPeft(readPeftFolder(files));
  const { config, tensors: values } = adapter;
  const task = readLabels(files) ?? unnamedTask(adapter);
  const saved = (config.modules_to_save ?? []).filter((name) => !task || !HEADS.includes(name));
  // New heads are opened by themselves; naming them again would ask for modules that the base does not have.
  const modules_to_save = task ? saved.filter((name) => !headModules().has(name)) : saved;
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
    case 'PROMPT_TUNING': {
      const { num_virtual_tokens, prompt_tuning_init, prompt_tuning_init_text } = adapter.config;
      return {
        type: 'prompt_tuning',
        ...{ num_virtual_tokens, prompt_tuning_init, prompt_tuning_init_text: prompt_tuning_init_text ?? '' },
        init_adapter: null,
      };
    }
    case 'P_TUNING': {
      const { num_virtual_tokens, encoder_hidden_size } = adapter.config;
      return { type: 'p_tuning', num_virtual_tokens, encoder_hidden_size, init_adapter: null };
    }
    case 'PREFIX_TUNING': {
      const { num_virtual_tokens, encoder_hidden_size, prefix_projection } = adapter.config;
      return {
        type: 'prefix_tuning',
        ...{ num_virtual_tokens, encoder_hidden_size, prefix_projection, prefix_tuning_init_text: '' },
        init_adapter: null,
      };
    }
  }
}

function decodeHub({ settings, tensors, head }: BottleneckAdapter, named: TaskData | null): DecodedAdapter {
  const task = named ?? (head && { problemType: 'single_label_classification' as const, labels: head.labels });
  return {
    section: { type: 'bottleneck', ...settings, init_adapter: null },
    values: new Map([...tensors, ...(head?.tensors ?? [])]),
    task: task ?? null,
  };
}

/** Beside PEFT's two files: what a head's labels are called, which PEFT does not say. */
const LABELS = 'labels.json';

function labelsFile({ problemType, labels }: TaskData) {
  const id2label = Object.fromEntries(labels.map((label, i) => [i, label]));
  return {
    path: LABELS,
    bytes: new TextEncoder().encode(`${JSON.stringify({ problem_type: problemType, id2label }, null, 2)}\n`),
  };
}

function readLabels(files: AdapterFiles): TaskData | null {
  const file = files.find(({ path }) => path === LABELS || path.endsWith(`/${LABELS}`));
  if (!file) return null;
  try {
    const { problem_type, id2label } = JSON.parse(new TextDecoder().decode(file.bytes));
    const labels = Object.keys(id2label).map((_, i) => id2label[i]);
    if (labels.every((label) => typeof label === 'string') && PROBLEM_TYPES.includes(problem_type)) {
      return { problemType: problem_type, labels };
    }
  } catch {
    // told below, as any other damage of the file
  }
  throw new TabtuneError({
    code: 'bad_adapter',
    message: 'The names of the labels cannot be read.',
    where: LABELS,
    action: 'Export the adapter again, or remove this file: its labels then have numbers.',
  });
}

/** How the rest of the ecosystem calls a task; what has no name there is told by the model's class. */
const peftTasks: Record<ObjectiveSection['type'], PeftTask> = {
  sft: 'CAUSAL_LM',
  pretraining: 'CAUSAL_LM',
  sequence_classification: 'SEQ_CLS',
  token_classification: 'TOKEN_CLS',
  masked_lm: null,
};

/** Where an adapter's base comes from, for its config. */
export interface BaseName {
  /** `ORG/NAME` of the Hub, or a folder's name. */
  name: string;
  /** Its commit there. */
  revision: string | null;
}

/** What the method has learned, by the names that files have. */
async function savedTensors(method: Method): Promise<NamedTensors> {
  const saved = method.saved?.();
  const tensors: NamedTensors = new Map();
  for (const [name, tensor] of saved ?? method.trainable) {
    tensors.set(name, { shape: tensor.shape, data: await readFloats(tensor) });
  }
  for (const tensor of saved?.values() ?? []) tensor.dispose();
  return tensors;
}

/** The adapter in the layout that its ecosystem uses. */
export async function adapterFiles(open: OpenAdapter, base: BaseName): Promise<AdapterFiles> {
  const { task } = open.model;
  if (open.settings.type === 'bottleneck') return hubFiles(open, open.settings, base);
  const adapter = await peftAdapter(open, base.name);
  const { config, weights } = writePeft(adapter);
  const files = peftFolder({ config: { ...config, revision: base.revision }, weights });
  return task ? [...files, labelsFile(task)] : files;
}

async function hubFiles(
  { model, method, objective }: OpenAdapter,
  settings: BottleneckMethod,
  base: BaseName,
): Promise<AdapterFiles> {
  const { task } = model;
  const all = await savedTensors(method);
  const ofHead = new Set(headTensors(model).map(({ name }) => name));
  const prefix = task ? barePrefix(model) : '';
  const { config, reduction_factor, non_linearity } = settings;
  const files = writeAdapterHub({
    name: 'tabtune',
    model_name: base.name,
    model_type: model.family,
    model_class: modelClass(model.family, task?.kind ?? 'language_model'),
    hidden_size: model.hiddenSize,
    parallel: model.parallel ?? false,
    settings: { config, reduction_factor, non_linearity },
    tensors: renamed(new Map([...all].filter(([name]) => !ofHead.has(name))), (name) => prefix + name),
    head: task && { labels: task.labels, tensors: new Map([...all].filter(([name]) => ofHead.has(name))) },
  });
  return task && objective !== 'sft' ? [...files, labelsFile(task)] : files;
}

async function peftAdapter(
  { model, method, settings, objective }: OpenAdapter,
  baseModel: string,
): Promise<PeftAdapter> {
  const { task } = model;
  const masked = objective === 'masked_lm' ? modelClass(model.family, 'language_model') : undefined;
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
  const alone = new Set([...headTensors(model).map(({ name }) => name), PROMPT_EMBEDDINGS]);
  const named = (tensors: NamedTensors) => renamed(tensors, (name) => (alone.has(name) ? name : prefix + name));
  switch (settings.type) {
    case 'lora': {
      const { config, tensors } = await loraExport(model, method, settings);
      return { type: 'LORA', config: { ...common, ...config }, tensors: named(tensors) };
    }
    case 'ia3': {
      const { config, tensors } = await ia3Export(model, method, settings);
      return { type: 'IA3', config: { ...common, ...config }, tensors: named(tensors) };
    }
    case 'prompt_tuning': {
      const { prompt_tuning_init, prompt_tuning_init_text } = settings;
      const text = prompt_tuning_init === 'TEXT';
      const config = {
        ...virtualTokens(model, settings.num_virtual_tokens),
        prompt_tuning_init,
        prompt_tuning_init_text: text ? prompt_tuning_init_text : null,
        tokenizer_name_or_path: text ? baseModel : null,
      };
      return { type: 'PROMPT_TUNING', config: { ...common, ...config }, tensors: await savedTensors(method) };
    }
    case 'p_tuning': {
      const config = {
        ...virtualTokens(model, settings.num_virtual_tokens),
        encoder_reparameterization_type: 'MLP' as const,
        encoder_hidden_size: settings.encoder_hidden_size ?? model.hiddenSize,
        encoder_num_layers: 2,
        encoder_dropout: 0,
      };
      return { type: 'P_TUNING', config: { ...common, ...config }, tensors: await savedTensors(method) };
    }
    case 'prefix_tuning': {
      const config = {
        ...virtualTokens(model, settings.num_virtual_tokens),
        token_dim: model.keyValueWidth!,
        num_attention_heads: model.heads.keyValue,
        encoder_hidden_size: settings.encoder_hidden_size ?? model.keyValueWidth!,
        prefix_projection: settings.prefix_projection,
      };
      return { type: 'PREFIX_TUNING', config: { ...common, ...config }, tensors: await savedTensors(method) };
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

const virtualTokens = (model: LanguageModel, num_virtual_tokens: number) => ({
  num_virtual_tokens,
  token_dim: model.hiddenSize,
  num_transformer_submodules: 1,
  num_attention_heads: model.heads.query,
  num_layers: model.layers,
});
