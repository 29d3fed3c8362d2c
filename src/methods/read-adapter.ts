/** Adapters from their files, whatever method and format they have. Needs no GPU, so the page reads them too. */
import { TabtuneError } from '../base/errors';
import { problemTypes, type TaskData } from '../base/task';
import { type AdapterFiles, jsonNamed, type ReadAdapter } from '../formats/adapter-format';
import { LABELS, labelsFile, readLabels } from '../formats/labels';
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

/** What an adapter's files say, before there is a model. */
export type DecodedAdapter = ReadAdapter<MethodSection>;

const ofFiles = (files: AdapterFiles): AnyMethod | undefined => methods.find((method) => method.files?.matches(files));

/** AdapterHub's config names no method: the first that is saved there. */
const ofAdapterHub = (): AnyMethod | undefined => methods.find(({ files }) => files?.id === 'adapterhub');

const peftKinds = (): AnyPeftKind[] =>
  methods.flatMap(({ files }) => (files?.id === 'peft' ? [(files as PeftFormat<MethodSection>).kind] : []));

/** Throws bad_adapter. */
export function decodeAdapter(files: AdapterFiles): DecodedAdapter {
  const method = ofFiles(files);
  // Says what is wrong with a folder that no method claims.
  if (!method?.files) return kindOf(readPeftFolder(files).config, peftKinds()) as never;
  return method.files.read(files, readLabels(files));
}

/** A config whose kind is not known. */
type AnyConfig = CommonConfig & Record<string, unknown>;

/** An adapter in PEFT's format, by whichever kind it is. Throws bad_adapter. */
export const readPeft = <C extends CommonConfig = AnyConfig>(files: PeftFiles): PeftAdapter<C> =>
  readPeftAs<C>(files, kindOf(files.config, peftKinds()));

export const writePeft = (adapter: PeftAdapter<AnyConfig>): PeftFiles =>
  writePeftAs(adapter, kindOf({ peft_type: adapter.type }, peftKinds()));

/**
 * The recipe with what an adapter to continue from decides: rank, alpha, targets; what concerns training only stays. Throws
 * bad_adapter if the recipe trains another method.
 */
export function continuedRecipe<R extends { method: MethodSection }>(recipe: R, section: MethodSection): R {
  const { method } = recipe;
  if (method.type !== section.type) {
    throw new TabtuneError({
      code: 'bad_adapter',
      message: `The adapter to continue from is ${section.type}, and the recipe trains ${method.type}.`,
      where: 'method.init_adapter',
      action: `Set method.type to ${section.type}, or start anew.`,
    });
  }
  const kept = ['init_adapter', ...(methods.find(({ type }) => type === method.type)!.keptWhenContinuing ?? [])];
  const own = Object.fromEntries(Object.entries(method).filter(([key]) => kept.includes(key)));
  return { ...recipe, method: { ...section, ...own } as MethodSection };
}

/** The problem type of an adapter's head by its files alone, without reading the weights; null without a head. */
function headOf(files: AdapterFiles): TaskData['problemType'] | null {
  const { problem_type } = jsonNamed(files, LABELS);
  const known = problemTypes.find((type) => type === problem_type);
  if (known) return known;
  const { model_class } = jsonNamed(files, 'head_config.json');
  const { task_type } = jsonNamed(files, 'adapter_config.json');
  if (/ForTokenClassification$/.test(String(model_class)) || task_type === 'TOKEN_CLS') return 'token_classification';
  if (problem_type !== undefined || /ForSequenceClassification$/.test(String(model_class)) || task_type === 'SEQ_CLS') {
    return 'single_label_classification';
  }
  return null;
}

/** What an adapter's configs say it is. The engine has opened it by then, so its files are in order. */
export function aboutAdapter(files: AdapterFiles): { method: MethodType | null; head: TaskData['problemType'] | null } {
  return { method: (ofFiles(files) ?? ofAdapterHub())?.type ?? null, head: headOf(files) };
}
