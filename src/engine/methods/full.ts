/**
 * The methods that open the model's own weights: full fine-tuning (all of them), feature extraction (the objective's head
 * alone), and gradual unfreezing with discriminative rates (ULMFiT, Howard and Ruder, 2018).
 */
import type { GradualMethod } from '../../recipe/types';
import type { LanguageModel } from '../models/model';
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
 * How far below the top a tensor is: 0 for the head, what follows the last block and an output projection of its own, 1 for
 * the last block, and so on; the embeddings go with the first block.
 */
export function depthOf(model: Pick<LanguageModel, 'blockPaths' | 'tensors'>): (name: string) => number {
  const blocks = model.blockPaths;
  const inBlock = (name: string) => blocks.findIndex((path) => name.startsWith(`${path}.`));
  // In the order of the forward pass, what comes before the first block is the embeddings.
  const first = model.tensors.findIndex(({ name }) => inBlock(name) === 0);
  const before = new Set(model.tensors.slice(0, first).map(({ name }) => name));
  return (name) => {
    const block = inBlock(name);
    if (block >= 0) return blocks.length - block;
    return before.has(name) ? blocks.length : 0;
  };
}

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
