/**
 * Learning-rate schedules as factors of the base rate, after transformers' optimization.py. `step` counts from 0: the
 * first update uses factor(0), which is 0 under warm-up.
 */
import type { LrSchedulerType } from '../../recipe/types';

/** transformers rounds warmup_ratio · steps up. */
export function warmupSteps(totalSteps: number, warmupRatio: number): number {
  return Math.ceil(totalSteps * warmupRatio);
}

export function scheduleFactor(type: LrSchedulerType, step: number, warmup: number, total: number): number {
  const warm = step < warmup ? step / Math.max(1, warmup) : 1;
  switch (type) {
    case 'constant':
      return 1;
    case 'constant_with_warmup':
      return warm;
    case 'linear':
      return step < warmup ? warm : Math.max(0, (total - step) / Math.max(1, total - warmup));
    case 'cosine': {
      if (step < warmup) return warm;
      const progress = (step - warmup) / Math.max(1, total - warmup);
      return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
    }
    default:
      return type satisfies never;
  }
}
