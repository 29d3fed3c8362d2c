/** Stochastic gradient descent with momentum, as in torch.optim.SGD. Without momentum it keeps no state. */
import { keptZeros } from '../kernels/in-place';
import { sgdStep } from '../kernels/optimisers/sgd';
import { pace, perValue, type RuleKind } from './update-rule';

export const sgd: RuleKind = {
  create(layout, settings) {
    const { sgd_momentum: momentum = 0, weight_decay } = settings;
    const velocity = momentum === 0 ? null : keptZeros([layout.size]);
    return {
      update(buffers, ranges, learningRate) {
        for (const range of ranges) {
          sgdStep({ ...buffers, velocity }, range, { ...pace(range, learningRate, weight_decay), momentum });
        }
      },
      parts: velocity ? [perValue('sgd_momentum', velocity)] : [],
      dispose: () => velocity?.dispose(),
    };
  },
};
