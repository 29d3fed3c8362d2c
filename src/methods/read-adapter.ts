/** Reads an adapter of any method and format from its files. Needs no GPU, so the page uses it too. */
import { TabtuneError } from '../base/errors';
import { problemTypes, type TaskData, WORD_LABELS } from '../base/task';
import { type AdapterFiles, jsonNamed, type ReadAdapter } from '../formats/adapter-format';
import { LABELS, labelsFile, readLabels } from '../formats/labels';
import { ownFolder } from '../formats/own-folder';
import {
  type AnyPeftKind,
  type CommonConfig,
  kindOf,
  type PeftAdapter,
  type PeftFiles,
  readPeftAs,
  readPeftFolder,
  writePeftAs,
} from '../formats/peft';
import { type AnyMethod, type MethodSection, type MethodType, methods } from './index';
import type { PeftFormat } from './peft-format';

export { labelsFile };

/** An adapter decoded from its files, not yet matched to a model. */
export type DecodedAdapter = ReadAdapter<MethodSection>;

const ofFiles = (files: AdapterFiles): AnyMethod | undefined => methods.find((method) => method.files?.matches(files));

/** AdapterHub's config does not name the method, so this is the first one saved in that format. */
const ofAdapterHub = (): AnyMethod | undefined => methods.find(({ files }) => files?.id === 'adapterhub');

const peftKinds = (): AnyPeftKind[] =>
  methods.flatMap(({ files }) => (files?.id === 'peft' ? [(files as PeftFormat<MethodSection>).kind] : []));

/** Throws bad_adapter. */
export function decodeAdapter(given: AdapterFiles): DecodedAdapter {
  const files = ownFolder(given);
  const method = ofFiles(files);
  if (!method?.files) {
    // No method claims the folder: this throws the reason.
    const { type } = kindOf(readPeftFolder(files).config, peftKinds());
    throw new Error(`No method reads adapters of the type ${type}.`);
  }
  return method.files.read(files, readLabels(files));
}

/** A config of any kind. */
type AnyConfig = CommonConfig & Record<string, unknown>;

/** Reads an adapter of any kind in PEFT's format. Throws bad_adapter. */
export const readPeft = <C extends CommonConfig = AnyConfig>(files: PeftFiles): PeftAdapter<C> =>
  readPeftAs<C>(files, kindOf(files.config, peftKinds()));

export const writePeft = (adapter: PeftAdapter<AnyConfig>): PeftFiles =>
  writePeftAs(adapter, kindOf({ peft_type: adapter.type }, peftKinds()));

/**
 * The recipe with the settings of the adapter to continue from, such as rank, alpha and targets; settings that concern only
 * training stay. Throws bad_adapter if the recipe trains another method.
 */
export function continuedRecipe<R extends { method: MethodSection }>(recipe: R, section: MethodSection): R {
  const { method } = recipe;
  if (method.type !== section.type) {
    throw new TabtuneError({
      code: 'bad_adapter',
      message: `The adapter to continue from is ${section.type}, but the recipe trains ${method.type}.`,
      where: 'method.init_adapter',
      action: `Set method.type to ${section.type}, or start a new adapter.`,
    });
  }
  const kept = ['init_adapter', ...(methods.find(({ type }) => type === method.type)!.keptWhenContinuing ?? [])];
  const own = Object.fromEntries(Object.entries(method).filter(([key]) => kept.includes(key)));
  return { ...recipe, method: { ...section, ...own } as MethodSection };
}

/** An adapter's head, from its files without reading the weights; its labels if they have names, and null without a head. */
function headOf(files: AdapterFiles): TaskData | null {
  const { problem_type, id2label } = jsonNamed(files, LABELS);
  const named = typeof id2label === 'object' && id2label !== null ? Object.values(id2label) : [];
  const problemType = problemTypes.find((type) => type === problem_type) ?? problemTypeOf(files, problem_type);
  return problemType && { problemType, labels: named.filter((label) => typeof label === 'string') };
}

function problemTypeOf(files: AdapterFiles, written: unknown): TaskData['problemType'] | null {
  const { model_class } = jsonNamed(files, 'head_config.json');
  const named = typeof model_class === 'string' ? model_class : '';
  const { task_type } = jsonNamed(files, 'adapter_config.json');
  if (/ForTokenClassification$/.test(named) || task_type === 'TOKEN_CLS') return WORD_LABELS;
  if (written !== undefined || /ForSequenceClassification$/.test(named) || task_type === 'SEQ_CLS') {
    return 'single_label_classification';
  }
  return null;
}

/** Method and head according to an adapter's configs. The engine has already opened it, so the files are valid. */
export function aboutAdapter(files: AdapterFiles): { method: MethodType | null; head: TaskData | null } {
  return { method: (ofFiles(files) ?? ofAdapterHub())?.type ?? null, head: headOf(files) };
}
