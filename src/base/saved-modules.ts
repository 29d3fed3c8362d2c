/**
 * PEFT's modules_to_save (peft/utils/other.py, _set_trainable): a name stands for every module whose path ends in it, whether or
 * not a dot precedes it: `norm` is also `input_layernorm`. A module counts with everything in it.
 */

/** Paths as PEFT sees them begin with this. */
const WRAPPED = 'base_model.model';

/** Modules that PEFT itself adds; a name that fits one of them makes it fail. */
const OWN = [
  ...['base_model', WRAPPED, 'base_layer', 'default', 'ia3_l'],
  ...['lora_A', 'lora_B', 'lora_dropout', 'lora_embedding_A', 'lora_embedding_B', 'lora_magnitude_vector'],
];

export const namesPeftModule = (name: string): boolean => OWN.some((own) => own.endsWith(name));

/** `model.norm.weight` → `model.norm`. */
export const moduleOf = (tensor: string): string => tensor.slice(0, Math.max(0, tensor.lastIndexOf('.')));

/** A tensor's module and those around it, from the inside out. */
function modulesAround(tensor: string): string[] {
  const paths: string[] = [];
  for (let path = moduleOf(tensor); path !== ''; path = moduleOf(path)) paths.push(path);
  return paths;
}

/** Whether a tensor belongs to a module that one of the names stands for. */
export const isSaved = (tensor: string, names: readonly string[]): boolean =>
  modulesAround(tensor).some((path) => names.some((name) => `${WRAPPED}.${path}`.endsWith(name)));

/** The same if a name had to begin after a dot. */
export const isSavedByWholeName = (tensor: string, names: readonly string[]): boolean =>
  modulesAround(tensor).some((path) => names.some((name) => `.${path}`.endsWith(`.${name}`)));
