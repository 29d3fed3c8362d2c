/**
 * Reads an adapter from PEFT's files and checks its kind, its features, and the name and shape of every tensor. Throws
 * bad_adapter. The caller, who has the model, checks whether the adapter fits it.
 */
import { moduleOf } from '../../base/saved-modules';
import { families } from '../../families';
import { fieldPlace, type Json, namesField, present, stringOrNull } from './fields';
import type { PeftFiles } from './folder';
import type { AnyPeftKind, CommonConfig, PeftAdapter, PeftTask, PeftTensors, SplitTensors } from './kind';
import { EXPORT_AGAIN, OTHER_KINDS, refuse } from './refuse';
import { splitTensors } from './saved';
import { readTensors } from './tensors';

const TASKS: readonly unknown[] = ['CAUSAL_LM', 'SEQ_CLS', 'TOKEN_CLS', 'FEATURE_EXTRACTION'];

/** The kind of an adapter, by its config. */
export function kindOf(config: Json, kinds: readonly AnyPeftKind[]): AnyPeftKind {
  const type = config.peft_type;
  if (typeof type !== 'string') {
    refuse(fieldPlace('peft_type'), 'The config does not say what kind of adapter this is.', EXPORT_AGAIN);
  }
  const kind = kinds.find((one) => one.type === type);
  if (!kind) refuse(fieldPlace('peft_type'), `Adapters of type ${type.slice(0, 40)} are not supported.`, OTHER_KINDS);
  return kind;
}

/** Decodes and checks an adapter of this kind. */
export function readPeftAs<C extends CommonConfig>(
  { config, weights }: PeftFiles,
  kind: { type: string; prompt?: true } & Pick<AnyPeftKind, 'read'>,
): PeftAdapter<C> {
  const saved = savedModules(config);
  const common: CommonConfig = {
    base_model_name_or_path: stringOrNull(config, 'base_model_name_or_path'),
    task_type: (TASKS.includes(config.task_type) ? config.task_type : null) as PeftTask,
    auto_mapping: autoMapping(config),
    modules_to_save: saved,
  };
  let split: (SplitTensors & { saved: string[] | null }) | null = null;
  const tensors = () => {
    if (!split) {
      const all = readTensors(kind, weights);
      const whole = config.ensure_weight_tying === true ? [...(saved ?? []), ...outputModules(all)] : saved;
      split = { ...splitTensors(all, whole), saved: whole };
    }
    return split;
  };
  const read: C = kind.read(config, common, tensors);
  return { type: kind.type, config: { ...read, modules_to_save: tensors().saved }, tensors: tensors().all };
}

/** With `ensure_weight_tying`, PEFT saves the output projection beside the embedding that it names. */
const outputModules = (tensors: PeftTensors): string[] => [
  ...new Set([...tensors.keys()].filter((name) => families.some(({ lmHead }) => lmHead.test(name))).map(moduleOf)),
];

/** Without duplicates, which PEFT sometimes writes. */
function savedModules(config: Json): string[] | null {
  if (!present(config, 'modules_to_save')) return null;
  const names = namesField(config, 'modules_to_save');
  if (!names) refuse(fieldPlace('modules_to_save'), 'This is not a list of module names.', EXPORT_AGAIN);
  return [...new Set(names)];
}

function autoMapping({ auto_mapping: value }: Json): { base_model_class: string; parent_library: string } | null {
  if (typeof value !== 'object' || value === null) return null;
  const { base_model_class, parent_library } = value as Json;
  if (typeof base_model_class !== 'string' || typeof parent_library !== 'string') return null;
  return { base_model_class, parent_library };
}
