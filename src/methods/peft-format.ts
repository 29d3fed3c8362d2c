/** The format of methods saved in PEFT's folder: one of PEFT's kinds, and the translation between its config and the recipe. */
import { type TaskData, WORD_LABELS } from '../base/task';
import { familyNamed, headModules, isLabelWeight, transformersName } from '../families';
import { type AdapterFormat, type AdapterModel, type FittedModel, jsonNamed, renamed } from '../formats/adapter-format';
import {
  ADAPTER_CONFIG,
  type CommonConfig,
  type PeftAdapter,
  type PeftKind,
  type PeftTask,
  PROMPT_EMBEDDINGS,
  peftFolder,
  readPeftAs,
  readPeftFolder,
  writePeftAs,
} from '../formats/peft';
import { savedForPeft, savedFromPeft } from './peft-saved';

/** Module names that PEFT saves with every classifier. */
const HEADS = ['classifier', 'score'];

const TASKS: Record<string, TaskData['problemType']> = {
  SEQ_CLS: 'single_label_classification',
  TOKEN_CLS: WORD_LABELS,
};

export interface PeftFormat<S> extends AdapterFormat<S> {
  kind: PeftKind<CommonConfig>;
}

interface Translation<S, C extends CommonConfig> {
  kind: PeftKind<C>;
  /** `modules_to_save` without a classifier's head. */
  section(adapter: PeftAdapter<C>, modulesToSave: string[]): S;
  /** The kind's own fields. `exported` has those that only the engine knows; `base` is the base model's name. */
  config(section: S, exported: Record<string, unknown>, model: AdapterModel, base: string): Omit<C, keyof CommonConfig>;
  modulesToSave?(section: S): readonly string[];
  /** The section with other modules to save. */
  withSaved?(section: S, modulesToSave: string[]): S;
  /** Renames modules in the section to those of another class of the same model. */
  rename?(section: S, name: (old: string) => string): S;
  /** Left out: only PEFT and transformers load it. */
  readBy?: string;
}

export function peftFormat<S, C extends CommonConfig>(translation: Translation<S, C>): PeftFormat<S> {
  const { kind } = translation;
  return {
    id: 'peft',
    library: 'peft',
    readBy: translation.readBy ?? 'It loads in PEFT and transformers.',
    kind: kind as unknown as PeftKind<CommonConfig>,
    matches: (files) => jsonNamed(files, ADAPTER_CONFIG).peft_type === kind.type,
    read(files, named) {
      const adapter = readPeftAs<C>(readPeftFolder(files), kind);
      const task = named ?? unnamedTask(adapter);
      const saved = (adapter.config.modules_to_save ?? []).filter((name) => !task || !HEADS.includes(name));
      // The new head is added anyway; naming it here would ask for modules that the base does not have.
      const others = task ? saved.filter((name) => !headModules().has(name)) : saved;
      return { section: translation.section(adapter, others), values: adapter.tensors, task };
    },
    fit(adapter, model) {
      const { task } = adapter;
      const { headPrefix } = model;
      const bare = (name: string) =>
        task && headPrefix !== '' && name.startsWith(headPrefix) ? name.slice(headPrefix.length) : name;
      const section = translation.rename?.(adapter.section, bare) ?? adapter.section;
      const values = renamed(adapter.values, bare);
      const saved = translation.modulesToSave?.(section) ?? [];
      if (saved.length === 0 || !translation.withSaved) return { task, section, values };
      const fitted = savedFromPeft(saved, values, task ? withoutTokenHead(model) : model);
      return { task, section: translation.withSaved(section, fitted.names), values: fitted.values };
    },
    write({ section, model, base, exported, tensors, headTensors, savedBeside, task, objective }) {
      const given = savedForPeft(translation.modulesToSave?.(section) ?? [], savedBeside, model);
      const saved = [...new Set([...given, ...(task ? [...HEADS, ...model.headModules] : [])])];
      const common: CommonConfig = {
        base_model_name_or_path: base.name,
        task_type: objective.taskType as PeftTask,
        auto_mapping: objective.modelClass
          ? {
              base_model_class: objective.modelClass,
              parent_library: `transformers.models.${model.family}.modeling_${model.family}`,
            }
          : null,
        modules_to_save: saved.length > 0 ? saved : null,
      };
      const own = translation.config(section, exported, model, base.name);
      // A bare encoder's names get the prefix that they have in transformers' class with a head.
      const prefix = task && !kind.prompt ? model.headPrefix : '';
      const family = familyNamed(model.family);
      const name = (old: string) =>
        headTensors.has(old) || old === PROMPT_EMBEDDINGS ? old : prefix + transformersName(family, old);
      const { config, weights } = writePeftAs(
        { config: { ...common, ...own } as C, tensors: renamed(tensors, name) },
        kind,
      );
      return peftFolder({ config: { ...config, revision: base.revision }, weights });
    },
    python: {
      imports: 'from peft import PeftModel',
      load: (path) => [`model = PeftModel.from_pretrained(model, ${path})`],
    },
  };
}

/** transformers' classes with a classification head lack the one that predicts tokens. */
function withoutTokenHead(model: FittedModel): FittedModel {
  const { lmHead } = familyNamed(model.family);
  return { ...model, tensorNames: model.tensorNames.filter((name) => !lmHead.test(name)), ties: [] };
}

/** The task of a head whose labels are unnamed. */
function unnamedTask({ config, tensors }: PeftAdapter): TaskData | null {
  const problemType = TASKS[config.task_type ?? ''];
  const output = [...tensors].find(([name]) => isLabelWeight(name));
  if (!problemType || !output) return null;
  const count = output[1].shape[0]!;
  return { problemType, labels: Array.from({ length: count }, (_, i) => `LABEL_${i}`) };
}
