/** A committed PEFT adapter as a method on a model. */

import { createIa3 } from '../../src/engine/methods/ia3';
import { createLora, type LoraSettings } from '../../src/engine/methods/lora';
import type { Method } from '../../src/engine/methods/method';
import { alongside, openTensors, tensorsOfModules } from '../../src/engine/methods/opened';
import type { LanguageModel } from '../../src/engine/models/model';
import { type PeftAdapter, peftMethod, readPeft, splitTensors } from '../../src/formats/peft';
import { fixtureBytes, fixtureJson } from '../fixture-files';

/** `settings` are those that a folder does not hold, such as LoRA+'s. */
export async function openAdapter(
  folder: string,
  model: LanguageModel,
  settings: Partial<LoraSettings> = {},
): Promise<Method> {
  const adapter = readPeft({
    config: await fixtureJson(`${folder}/adapter_config.json`),
    weights: await fixtureBytes(`${folder}/adapter_model.safetensors`),
  });
  const { modules_to_save } = adapter.config;
  const { own, saved } = splitTensors(adapter.tensors, modules_to_save);
  const method = methodOf(adapter, own, model, settings);
  if (saved.size === 0) return method;
  return alongside(method, openTensors(tensorsOfModules(model, modules_to_save ?? []), saved));
}

function methodOf(
  adapter: PeftAdapter,
  own: PeftAdapter['tensors'],
  model: LanguageModel,
  settings: Partial<LoraSettings>,
): Method {
  const method = peftMethod(adapter);
  if (method.type === 'ia3') return createIa3(model, method, 0, own);
  if (method.type !== 'lora') throw new Error(`There is no such method here: ${method.type}.`);
  return createLora(model, { ...method, ...settings }, 0, own);
}
