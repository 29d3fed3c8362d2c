/** The methods by the recipe's names, with whatever every one of them trains beside its own tensors. */
import type { MethodSection } from '../../recipe/types';
import type { LanguageModel, ModelTensor } from '../models/model';
import { createBottleneck } from './bottleneck';
import { createFull, createGradual, createHeadOnly, headTensors } from './full';
import { createIa3 } from './ia3';
import { createLora } from './lora';
import type { Method } from './method';
import { alongside, type NamedTensors, openTensors, tensorsOfModules } from './opened';
import { createPTuning } from './p-tuning';
import { startPissa } from './pissa';
import { createPrefixTuning, prefixFromText } from './prefix-tuning';
import { createPromptTuning } from './prompt-tuning';

export interface MethodOptions {
  seed: number;
  /** Tensors of an adapter or a checkpoint to go on from; new ones where left out. */
  values?: NamedTensors;
  /** Tokens of the text that virtual tokens begin as. */
  initText?: Int32Array;
  signal?: AbortSignal;
}

/** Tensors of the checkpoint that an adapter is trained together with: the objective's head, and `modules_to_save`. */
export function trainedBeside(model: LanguageModel, section: MethodSection): ModelTensor[] {
  switch (section.type) {
    case 'full':
    case 'gradual_unfreezing':
    case 'head':
      return []; // opened by the method itself
    case 'lora':
    case 'ia3': {
      const saved = tensorsOfModules(model, section.modules_to_save);
      return [...saved, ...headTensors(model).filter((tensor) => !saved.includes(tensor))];
    }
    default:
      return headTensors(model);
  }
}

export async function createMethod(
  model: LanguageModel,
  section: MethodSection,
  { seed, values, initText, signal }: MethodOptions,
): Promise<Method> {
  const beside = trainedBeside(model, section);
  const apart = new Set(beside.map(({ name }) => name));
  const own = values && new Map([...values].filter(([name]) => !apart.has(name)));
  const method = await ownMethod(model, section, { seed, values: own, initText, signal });
  if (beside.length === 0) return method;
  try {
    return alongside(method, openTensors(beside, values));
  } catch (error) {
    method.dispose();
    throw error;
  }
}

async function ownMethod(
  model: LanguageModel,
  section: MethodSection,
  { seed, values, initText, signal }: MethodOptions,
): Promise<Method> {
  switch (section.type) {
    case 'lora': {
      const start =
        values ??
        (section.init_lora_weights === 'pissa' ? await startPissa(model, section, seed, { signal }) : undefined);
      return createLora(model, section, seed, start);
    }
    case 'ia3':
      return createIa3(model, section, seed, values);
    case 'full':
      return createFull(model, values);
    case 'head':
      return createHeadOnly(model, values);
    case 'gradual_unfreezing':
      return createGradual(model, section, values);
    case 'prompt_tuning':
      return createPromptTuning(model, section, seed, values, { initIds: initText });
    case 'p_tuning':
      return createPTuning(model, section, seed, values);
    case 'prefix_tuning': {
      const initial =
        !values && initText && initText.length > 0
          ? prefixFromText(model, initText, section.num_virtual_tokens)
          : undefined;
      try {
        return createPrefixTuning(model, section, seed, values, { initial });
      } finally {
        initial?.dispose();
      }
    }
    case 'bottleneck':
      return createBottleneck(model, section, seed, values);
  }
}
