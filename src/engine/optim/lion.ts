/** Lion (Chen et al., 2023): steps of equal size, along the sign of an interpolated momentum. */
import { keptZeros } from '../kernels/in-place';
import { lionStep } from '../kernels/optimisers/lion';
import { pace, perValue, type RuleKind } from './update-rule';

export const lion: RuleKind = {
  create(layout, settings) {
    const m = keptZeros([layout.size]);
    return {
      update(buffers, ranges, learningRate) {
        for (const range of ranges) {
          lionStep({ ...buffers, m }, range, {
            ...pace(range, learningRate, settings.weight_decay),
            beta1: settings.adam_beta1,
            beta2: settings.adam_beta2,
          });
        }
      },
      parts: [perValue('lion_m', m)],
      dispose: () => m.dispose(),
    };
  },
};
