/** Opens a committed PEFT adapter as a method on a model, the same way the app does. */

import { createMethod } from '../../src/engine/methods';
import type { LoraSettings } from '../../src/engine/methods/lora';
import type { Method } from '../../src/engine/methods/method';
import type { LanguageModel } from '../../src/engine/models/model';
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from '../../src/formats/peft';
import { decodeAdapter } from '../../src/methods/read-adapter';
import { fixtureBytes } from '../fixture-files';

/** `settings` are those that the folder does not store, such as LoRA+'s; `change` may overwrite tensors. */
export async function openAdapter(
  folder: string,
  model: LanguageModel,
  settings: Partial<LoraSettings> = {},
  change: (tensor: string, values: Float32Array) => void = () => {},
): Promise<Method> {
  const files = [ADAPTER_CONFIG, ADAPTER_WEIGHTS].map(async (path) => ({
    path,
    bytes: await fixtureBytes(`${folder}/${path}`),
  }));
  const { section, values } = decodeAdapter(await Promise.all(files));
  for (const [name, { data }] of values) change(name, data);
  const own = section.type === 'lora' ? { ...section, ...settings } : section;
  return createMethod(model, own, { seed: 0, values });
}
