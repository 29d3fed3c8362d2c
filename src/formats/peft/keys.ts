/**
 * Keys of `adapter_model.safetensors` and the methods' names for them. For LoRA and (IA)³, PEFT wraps the model twice
 * (`base_model.model.`); for prompt learning, only modules_to_save has a prefix (`base_model.`).
 *
 * PEFT finds a tensor by its exact key, and leaves out in silence what it does not find. It knows three spellings: its own; the
 * one of its modules in memory, with the adapter's name `default` (`lora_A.default.weight`); and DoRA's magnitude with
 * `.weight`. Here these three are read, and every other key is refused with what is wrong about it.
 */
import { ADAPTER_WEIGHTS } from './folder';
import type { AnyPeftKind } from './kind';
import { refuse } from './refuse';

export const PROMPT_EMBEDDINGS = 'prompt_embeddings';

export type Wrapping = Pick<AnyPeftKind, 'prompt'>;

const prefixOf = ({ prompt }: Wrapping) => (prompt ? 'base_model.' : 'base_model.model.');

/** `model.layers.0.self_attn.q_proj.lora_A.weight` → `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`. */
export function peftKey(kind: Wrapping, name: string): string {
  return name === PROMPT_EMBEDDINGS && kind.prompt ? name : prefixOf(kind) + name;
}

export const tensorPlace = (key: string) => `${ADAPTER_WEIGHTS}, tensor ${key.slice(0, 120)}`;

/** A method's own parameter with the adapter's name inside, as it is in memory. */
const NAMED = /^(.+\.(?:lora_[AB]|lora_embedding_[AB]|lora_magnitude_vector|ia3_l))\.([^.]+)(\.weight)?$/;
const MAGNITUDE = '.lora_magnitude_vector';

/** The inverse of peftKey, for every spelling that PEFT opens. Refuses the others. */
export function nameOf(kind: Wrapping, key: string): string {
  if (key === PROMPT_EMBEDDINGS && kind.prompt) return key;
  const prefix = prefixOf(kind);
  if (!key.startsWith(prefix) || key.length === prefix.length) refuseKey(key, outsideOf(key, prefix));
  const name = key.slice(prefix.length);
  if (name.startsWith(prefix)) refuseKey(key, `The prefix ${prefix} stands twice.`);
  const wrapper = wrapperIn(name);
  if (wrapper) refuseKey(key, wrapper);
  if (kind.prompt) return name;
  const [, path, adapter, weight = ''] = NAMED.exec(name) ?? [];
  if (path === undefined || adapter === undefined || (adapter === 'weight' && weight === '')) {
    return name.endsWith(`${MAGNITUDE}.weight`) ? name.slice(0, -'.weight'.length) : name;
  }
  if (adapter !== 'default') {
    refuseKey(key, `The keys hold an adapter’s name, “${adapter.slice(0, 40)}”, and PEFT looks only for “default”.`);
  }
  if (!path.endsWith(MAGNITUDE)) return path + weight;
  if (weight === '') refuseKey(key, 'DoRA’s magnitude has the adapter’s name without “.weight” after it.');
  return path;
}

/** Modules that training tools put around others, and how to save without them. */
const WRAPPERS: Record<string, string> = {
  _orig_mod: 'torch.compile puts “_orig_mod” into the keys.',
  _fsdp_wrapped_module: 'FSDP puts “_fsdp_wrapped_module” into the keys.',
  _checkpoint_wrapped_module: 'Activation checkpointing puts “_checkpoint_wrapped_module” into the keys.',
  module: 'DistributedDataParallel and DeepSpeed put “module” into the keys.',
  modules_to_save: 'The key of a fully trained module is the one of the model in memory, not of a saved adapter.',
  original_module: 'The key is the one of the model in memory, with the module as it was before training.',
};

function wrapperIn(name: string): string | null {
  const found = name.split('.').find((part) => Object.hasOwn(WRAPPERS, part));
  return found === undefined ? null : WRAPPERS[found]!;
}

/** What is wrong with a key that does not begin as it should. */
function outsideOf(key: string, prefix: string): string {
  return wrapperIn(key) ?? `The key does not begin with “${prefix}”, as all of PEFT’s do.`;
}

function refuseKey(key: string, reason: string): never {
  refuse(
    tensorPlace(key),
    `${reason} PEFT would leave such a tensor out without a word.`,
    'Save the adapter with save_pretrained of the unwrapped PEFT model, or rename the keys in the file.',
  );
}
