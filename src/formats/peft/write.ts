/**
 * Writes an adapter as PEFT's files. Only meaningful fields of the config are written: PEFT uses its defaults for the rest, and
 * older versions know fewer fields.
 */
import type { PeftFiles } from './folder';
import type { CommonConfig, PeftAdapter, PeftKind } from './kind';
import { writeTensors } from './tensors';

/** Encodes an adapter deterministically. */
export function writePeftAs<C extends CommonConfig>(
  { config, tensors }: Omit<PeftAdapter<C>, 'type'>,
  kind: PeftKind<C>,
): PeftFiles {
  const common = {
    auto_mapping: config.auto_mapping ?? null,
    base_model_name_or_path: config.base_model_name_or_path,
    inference_mode: true,
    modules_to_save: config.modules_to_save,
    peft_type: kind.type,
    revision: null,
    task_type: config.task_type,
  };
  return { config: { ...common, ...kind.fields(config) }, weights: writeTensors(kind, tensors) };
}
