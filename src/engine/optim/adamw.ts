/** AdamW (Loshchilov & Hutter, 2019) as in torch.optim.AdamW: weight decay is separate from the gradient. */

import { keptZeros } from '../kernels/in-place';
import { adamW } from '../kernels/optimisers/adamw';
import { pace, perValue, type RuleKind } from './update-rule';

/** `coupled`: Adam, whose weight decay is part of the gradient. */
export const adamKind = (coupled: boolean): RuleKind => ({
  create(layout, settings) {
    const m = keptZeros([layout.size]);
    const v = keptZeros([layout.size]);
    return {
      update(buffers, ranges, learningRate) {
        for (const range of ranges) {
          adamW({ ...buffers, m, v }, range, {
            ...pace(range, learningRate, settings.weight_decay),
            coupled,
            beta1: settings.adam_beta1,
            beta2: settings.adam_beta2,
            epsilon: settings.adam_epsilon,
            step: range.step,
          });
        }
      },
      parts: [perValue('adam_m', m), perValue('adam_v', v)],
      dispose() {
        m.dispose();
        v.dispose();
      },
    };
  },
});

export const adamw = adamKind(false);
