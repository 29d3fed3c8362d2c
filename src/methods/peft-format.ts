/** The format of methods saved in PEFT's folder: one of PEFT's kinds, and the translation between its config and the recipe. */
import { isSaved } from '../base/saved-modules';
import { type TaskData, WORD_LABELS } from '../base/task';
import { familyNamed, headModules, isLabelWeight, transformersName } from '../families';
import {
  type AdapterFormat,
  type AdapterModel,
  type FittedModel,
  jsonNamed,
  type ReadAdapter,
  renamed,
} from '../formats/adapter-format';
import {
  ADAPTER_CONFIG,
  type CommonConfig,
  type PeftAdapter,
  type PeftKind,
  type PeftTask,
  PROMPT_EMBEDDINGS,
  peftFolder,
  peftKey,
  readPeftAs,
  readPeftFolder,
  tensorPlace,
  writePeftAs,
} from '../formats/peft';
import { checkLinears, checkSaved, type PlacedTensor } from './fit-adapter';
import { savedForPeft, savedFromPeft } from './peft-saved';

/** Module names that PEFT saves with every classifier. */
const HEADS = ['classifier', 'score'];

/**
 * PEFT's class without a task leaves virtual tokens out in silence; the one for features puts them before any model's texts.
 */
const ANY_PROMPT = 'FEATURE_EXTRACTION';

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
}

export function peftFormat<S, C extends CommonConfig>(translation: Translation<S, C>): PeftFormat<S> {
  const { kind } = translation;
  const saved = (section: S) => translation.modulesToSave?.(section) ?? [];

  /** On a bare encoder, a classifier's names lose the prefix that they have in transformers' class with a head. */
  const underHead = (adapter: ReadAdapter<S>, { headPrefix }: FittedModel): ReadAdapter<S> => {
    const { section, values, task } = adapter;
    if (!task || headPrefix === '') return adapter;
    const bare = (name: string) => (name.startsWith(headPrefix) ? name.slice(headPrefix.length) : name);
    return { ...adapter, values: renamed(values, bare), section: translation.rename?.(section, bare) ?? section };
  };

  /** The tensors that belong to linear layers; the keys in the file are those of `original`. */
  const placed = ({ section, values, task }: ReadAdapter<S>, original: ReadAdapter<S>): PlacedTensor[] => {
    const { onLinear } = kind;
    if (!onLinear) return [];
    const others = [...saved(section), ...(task ? [...HEADS, ...headModules()] : [])];
    const keys = [...original.values.keys()];
    return [...values].flatMap(([name, { shape }], i) =>
      isSaved(name, others) ? [] : { ...onLinear(name, shape), where: tensorPlace(peftKey(kind, keys[i]!)) },
    );
  };

  return {
    id: 'peft',
    library: 'peft',
    readBy: 'It loads in PEFT and transformers.',
    kind: kind as unknown as PeftKind<CommonConfig>,
    matches: (files) => jsonNamed(files, ADAPTER_CONFIG).peft_type === kind.type,
    read(files, named) {
      const adapter = readPeftAs<C>(readPeftFolder(files), kind);
      const task = named ?? unnamedTask(adapter);
      const given = (adapter.config.modules_to_save ?? []).filter((name) => !task || !HEADS.includes(name));
      // The new head is added anyway; naming it here would ask for modules that the base does not have.
      const others = task ? given.filter((name) => !headModules().has(name)) : given;
      const base = adapter.config.base_model_name_or_path;
      return { section: translation.section(adapter, others), values: adapter.tensors, task, base };
    },
    fit(adapter, model) {
      const bare = underHead(adapter, model);
      // Before modules that are saved in full get their names here, while the tensors are still in the file's order.
      checkLinears(placed(bare, adapter), model, adapter.base);
      const names = saved(bare.section);
      if (names.length === 0 || !translation.withSaved) return bare;
      const here = bare.task ? withoutTokenHead(model) : model;
      const inFull = [...bare.values.keys()].filter((name) => isSaved(name, names));
      checkSaved(inFull, here, adapter.base);
      const fitted = savedFromPeft(names, bare.values, here);
      return { ...bare, section: translation.withSaved(bare.section, fitted.names), values: fitted.values };
    },
    write({ section, model, base, exported, tensors, headTensors, savedBeside, task, objective }) {
      const given = savedForPeft(saved(section), savedBeside, model);
      const savedModules = [...new Set([...given, ...(task ? [...HEADS, ...model.headModules] : [])])];
      const common: CommonConfig = {
        base_model_name_or_path: base.name,
        task_type: (objective.taskType ?? (kind.prompt ? ANY_PROMPT : null)) as PeftTask,
        auto_mapping: objective.modelClass
          ? {
              base_model_class: objective.modelClass,
              parent_library: `transformers.models.${model.family}.modeling_${model.family}`,
            }
          : null,
        modules_to_save: savedModules.length > 0 ? savedModules : null,
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
    python: () => ({
      imports: ['from peft import PeftModel'],
      load: (path) => [`model = PeftModel.from_pretrained(model, ${path})`],
    }),
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
  // As transformers takes num_labels 1: what a reward model has too.
  if (count === 1 && config.task_type === 'SEQ_CLS') return { problemType: 'regression', labels: ['LABEL_0'] };
  return { problemType, labels: Array.from({ length: count }, (_, i) => `LABEL_${i}`) };
}
