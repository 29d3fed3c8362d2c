/**
 * Gradual unfreezing with discriminative learning rates (ULMFiT, Howard and Ruder, 2018). The head is trained from the first step,
 * the last block after 1/(L+1) of the run, and the first block in the last 1/(L+1). Each block's learning rate is that of the block
 * above divided by `layer_lr_divisor`. The schedule over the run is the recipe's (by default slanted triangular).
 */
import type { GradualMethod } from '../../methods/gradual-unfreezing';
import { depthOf } from './layer-depth';
import type { MethodTwin } from './method';
import { openedMethod, openTensors } from './opened-tensors';

export const gradualUnfreezing: MethodTwin<GradualMethod> = {
  type: 'gradual_unfreezing',
  opens: true,
  create(model, { layer_lr_divisor }, { values }) {
    const depth = depthOf(model);
    const groups = model.blockPaths.length + 1;
    return {
      ...openedMethod(openTensors(model.tensors, values)),
      rate: (name) => layer_lr_divisor ** -depth(name),
      active: (name, step, totalSteps) => step >= Math.floor((depth(name) * totalSteps) / groups),
    };
  },
};
