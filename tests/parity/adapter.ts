/** A committed PEFT adapter as a method on a model. */

import { createIa3 } from '../../src/engine/methods/ia3';
import { createLora, loraTargets } from '../../src/engine/methods/lora';
import type { Method } from '../../src/engine/methods/method';
import type { LanguageModel } from '../../src/engine/models/model';
import { readPeft } from '../../src/formats/peft';
import { fixtureBytes, fixtureJson } from '../fixture-files';

export async function openAdapter(folder: string, model: LanguageModel): Promise<Method> {
  const { type, config, tensors } = readPeft({
    config: await fixtureJson(`${folder}/adapter_config.json`),
    weights: await fixtureBytes(`${folder}/adapter_model.safetensors`),
  });
  if (type === 'IA3') return createIa3(model, config, 0, tensors);
  if (type !== 'LORA') throw new Error(`${folder} is of the type ${type}.`);
  const settings = { ...config, modules_to_save: config.modules_to_save ?? [], target_modules: loraTargets(tensors) };
  return createLora(model, settings, 0, tensors);
}
