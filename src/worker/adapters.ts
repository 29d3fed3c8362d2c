/** Between PEFT's files and the engine's methods. */

import { TabtuneError } from '../base/errors';
import { ia3Export, loraExport } from '../engine/methods/export';
import { createIa3 } from '../engine/methods/ia3';
import { createLora, type NamedTensors } from '../engine/methods/lora';
import type { Method } from '../engine/methods/method';
import type { LanguageModel } from '../engine/models/model';
import { peftMethod, readPeft, splitTensors, writePeft } from '../formats/peft';
import type { LoraMethod, MethodSection, Recipe } from '../recipe/types';
import type { AdapterFiles } from './engine-api';

/** The settings of LoRA. Throws where the recipe has another method. */
export function loraOf(method: MethodSection): LoraMethod {
  if (method.type === 'lora') return method;
  throw cannot(method.type);
}

function cannot(type: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_recipe',
    message: `${type} cannot be trained here.`,
    where: 'method.type',
    action: 'Use lora or ia3.',
  });
}

/** An adapter's tensors under the names that methods use, and the method's settings as the files have them. */
function decode(files: AdapterFiles): { settings: MethodSection; values: NamedTensors } {
  const adapter = readPeft(files);
  return { settings: peftMethod(adapter), values: splitTensors(adapter.tensors, adapter.config.modules_to_save).own };
}

function methodOf(model: LanguageModel, settings: MethodSection, seed: number, values?: NamedTensors): Method {
  if (settings.type === 'ia3') return createIa3(model, settings, seed, values);
  return createLora(model, loraOf(settings), seed, values);
}

/** The recipe's method on a model: new, or continued from an adapter, which then decides rank, alpha and targets. */
export function createMethod(
  model: LanguageModel,
  recipe: Recipe,
  initAdapter: AdapterFiles | null,
): { method: Method; recipe: Recipe } {
  const { seed } = recipe.training;
  if (!initAdapter) return { method: methodOf(model, recipe.method, seed), recipe };
  const { settings, values } = decode(initAdapter);
  const asked = recipe.method;
  // How fast and with how much dropout it learns is the recipe's; what it is, the adapter's.
  const method: MethodSection =
    asked.type === 'lora' && settings.type === 'lora'
      ? { ...settings, lora_dropout: asked.lora_dropout, loraplus_lr_ratio: asked.loraplus_lr_ratio }
      : settings;
  return { method: methodOf(model, method, seed, values), recipe: { ...recipe, method } };
}

/** A PEFT adapter on a model. Throws bad_adapter where it does not fit. */
export function openAdapter(model: LanguageModel, files: AdapterFiles): { method: Method; settings: MethodSection } {
  const { settings, values } = decode(files);
  return { method: methodOf(model, settings, 0, values), settings };
}

/** A checkpoint's tensors as a method. */
export function openCheckpointTensors(
  model: LanguageModel,
  recipe: Recipe,
  tensors: Map<string, { shape: number[]; data: Float32Array }>,
): Method {
  const prefix = 'adapter/';
  const values: NamedTensors = new Map();
  for (const [name, tensor] of tensors) if (name.startsWith(prefix)) values.set(name.slice(prefix.length), tensor);
  return methodOf(model, recipe.method, recipe.training.seed, values);
}

/** The method's tensors in PEFT's layout. */
export async function adapterFiles(
  model: LanguageModel,
  method: Method,
  of: Recipe['method'],
  baseModel: string,
): Promise<AdapterFiles> {
  const common = { base_model_name_or_path: baseModel, task_type: 'CAUSAL_LM' as const, modules_to_save: null };
  if (of.type === 'ia3') {
    const { config, tensors } = await ia3Export(model, method, of);
    return writePeft({ type: 'IA3', config: { ...common, ...config }, tensors });
  }
  const { config, tensors } = await loraExport(model, method, loraOf(of));
  return writePeft({ type: 'LORA', config: { ...common, ...config }, tensors });
}
