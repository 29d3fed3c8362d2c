/**
 * The methods that open the model's own weights: full fine-tuning (all of them), feature extraction (the objective's head
 * alone), and gradual unfreezing with discriminative rates (ULMFiT, Howard and Ruder, 2018).
 */
import type { GradualMethod } from '../../recipe/types';
import type { LanguageModel } from '../models/model';
import { depthOf } from './depth';
import type { Method } from './method';
import { type NamedTensors, type Opened, openTensors } from './opened';

function methodOf(opened: Opened): Method {
  return {
    trainable: opened.trainable,
    opened: opened.trainable,
    hooks: ({ strength }) => opened.hooks(strength),
    delta: ({ weight }) => opened.delta(weight),
    dispose: opened.dispose,
  };
}

export const createFull = (model: LanguageModel, values?: NamedTensors): Method =>
  methodOf(openTensors(model.tensors, values));

/** The model is frozen: nothing but the head of the objective learns. */
export const createHeadOnly = (model: LanguageModel, values?: NamedTensors): Method =>
  methodOf(openTensors(headTensors(model), values));

export const headTensors = (model: LanguageModel) => model.tensors.filter(({ task }) => task);

/**
 * The head learns from the first step, the last block after 1/(L+1) of the run, the first block in its last 1/(L+1); a block
 * learns at the rate of the one above divided by `layer_lr_divisor`. The schedule over the run is the recipe's (slanted
 * triangular).
 */
export function createGradual(
  model: LanguageModel,
  { layer_lr_divisor }: Pick<GradualMethod, 'layer_lr_divisor'>,
  values?: NamedTensors,
): Method {
  const depth = depthOf(model);
  const groups = model.blockPaths.length + 1;
  return {
    ...methodOf(openTensors(model.tensors, values)),
    rate: (name) => layer_lr_divisor ** -depth(name),
    active: (name, step, totalSteps) => step >= Math.floor((depth(name) * totalSteps) / groups),
  };
}
