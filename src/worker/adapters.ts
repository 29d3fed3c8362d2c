/** Between PEFT's files and the engine's methods. */

import { TabtuneError } from '../base/errors';
import { createLora, type NamedTensors, targetedLinears } from '../engine/methods/lora';
import type { Method } from '../engine/methods/method';
import type { LanguageModel } from '../engine/models/model';
import { readFloats } from '../engine/webgpu/backend';
import { readLoraAdapter, writeLoraAdapter } from '../formats/peft';
import type { LoraMethod, MethodSection, Recipe } from '../recipe/types';
import type { AdapterFiles } from './engine-api';

const A = '.lora_A.weight';
const B = '.lora_B.weight';

/** The settings of LoRA. Throws where the recipe has another method. */
export function loraOf(method: MethodSection): LoraMethod {
  if (method.type === 'lora') return method;
  throw new TabtuneError({
    code: 'bad_recipe',
    message: `${method.type} cannot be trained here.`,
    where: 'method.type',
    action: 'Use lora.',
  });
}

/** An adapter's tensors under the names that methods use, and the method's settings as the files have them. */
function decode(files: AdapterFiles) {
  const adapter = readLoraAdapter(files);
  const values: NamedTensors = new Map();
  for (const [path, pair] of adapter.modules) {
    values.set(path + A, { shape: [adapter.r, pair.inFeatures], data: pair.a });
    values.set(path + B, { shape: [pair.outFeatures, adapter.r], data: pair.b });
  }
  return { adapter, values };
}

/** The recipe's method on a model: new, or continued from an adapter, which then decides rank, alpha and targets. */
export function createMethod(
  model: LanguageModel,
  recipe: Recipe,
  initAdapter: AdapterFiles | null,
): { method: Method; recipe: Recipe } {
  if (!initAdapter) return { method: createLora(model, loraOf(recipe.method), recipe.training.seed), recipe };
  const { adapter, values } = decode(initAdapter);
  const settings: LoraMethod = {
    ...loraOf(recipe.method),
    r: adapter.r,
    lora_alpha: adapter.lora_alpha,
    use_rslora: adapter.use_rslora,
    target_modules: [...adapter.modules.keys()],
  };
  return {
    method: createLora(model, settings, recipe.training.seed, values),
    recipe: { ...recipe, method: settings },
  };
}

/** A PEFT adapter on a model. Throws bad_adapter where it does not fit. */
export function openAdapter(model: LanguageModel, files: AdapterFiles): { method: Method; settings: LoraMethod } {
  const { adapter, values } = decode(files);
  const settings: LoraMethod = {
    type: 'lora',
    r: adapter.r,
    lora_alpha: adapter.lora_alpha,
    lora_dropout: adapter.lora_dropout,
    target_modules: [...adapter.modules.keys()],
    use_rslora: adapter.use_rslora,
    use_dora: false,
    init_lora_weights: 'default',
    rank_pattern: {},
    alpha_pattern: {},
    loraplus_lr_ratio: 1,
    modules_to_save: [],
    init_adapter: null,
  };
  return { method: createLora(model, settings, 0, values), settings };
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
  return createLora(model, loraOf(recipe.method), recipe.training.seed, values);
}

/** The method's tensors in PEFT's layout. */
export async function adapterFiles(
  model: LanguageModel,
  method: Method,
  of: Recipe['method'],
  baseModel: string,
): Promise<AdapterFiles> {
  const settings = loraOf(of);
  const targets = targetedLinears(model, settings.target_modules);
  const modules = new Map<string, { inFeatures: number; outFeatures: number; a: Float32Array; b: Float32Array }>();
  for (const { path, weight } of targets) {
    const [outFeatures, inFeatures] = weight.shape as [number, number];
    modules.set(path, {
      inFeatures,
      outFeatures,
      a: await readFloats(method.trainable.get(path + A)!),
      b: await readFloats(method.trainable.get(path + B)!),
    });
  }
  return writeLoraAdapter({
    base_model_name_or_path: baseModel,
    r: settings.r,
    lora_alpha: settings.lora_alpha,
    lora_dropout: settings.lora_dropout,
    target_modules: shortTargets(
      model,
      targets.map(({ path }) => path),
    ),
    use_rslora: settings.use_rslora,
    fan_in_fan_out: targets.some(({ conv1d }) => conv1d),
    modules,
  });
}

/** Module names such as q_proj where they say the same as the full paths; PEFT matches either. */
function shortTargets(model: LanguageModel, paths: string[]): string[] {
  const last = (path: string) => path.slice(path.lastIndexOf('.') + 1);
  const names = new Set(paths.map(last));
  const matched = model.linears.filter(({ path }) => names.has(last(path)));
  return matched.length === paths.length ? [...names] : paths;
}
