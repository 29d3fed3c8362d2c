/** A committed PEFT adapter as a method on a model. */

import { createLora, type NamedTensors } from '../../src/engine/methods/lora';
import type { Method } from '../../src/engine/methods/method';
import type { LanguageModel } from '../../src/engine/models/model';
import { readLoraAdapter } from '../../src/formats/peft';
import { fixtureBytes, fixtureJson } from '../fixture-files';

export async function openAdapter(folder: string, model: LanguageModel): Promise<Method> {
  const adapter = readLoraAdapter({
    config: await fixtureJson(`${folder}/adapter_config.json`),
    weights: await fixtureBytes(`${folder}/adapter_model.safetensors`),
  });
  const values: NamedTensors = new Map(
    [...adapter.modules].flatMap(([path, m]): [string, { shape: number[]; data: Float32Array }][] => [
      [`${path}.lora_A.weight`, { shape: [adapter.r, m.inFeatures], data: m.a }],
      [`${path}.lora_B.weight`, { shape: [m.outFeatures, adapter.r], data: m.b }],
    ]),
  );
  return createLora(model, { ...adapter, target_modules: [...adapter.modules.keys()] }, 0, values);
}
