/**
 * Learning-rate schedules as factors of the base rate, after transformers' optimization.py, and ULMFiT's slanted triangular
 * schedule. `step` counts from 0: the first update uses factor(0), which is 0 with warmup.
 */
import type { LrSchedulerType, TrainingSection } from '../../recipe/types';

export type ScheduleSettings = Pick<TrainingSection, 'lr_scheduler_type' | 'warmup_ratio'> &
  Partial<
    Pick<TrainingSection, 'lr_num_cycles' | 'lr_power' | 'lr_end_ratio' | 'lr_decay_ratio' | 'lr_cut_frac' | 'lr_ratio'>
  >;

/** transformers rounds warmup_ratio · steps up. */
export function warmupSteps(totalSteps: number, warmupRatio: number): number {
  return Math.ceil(totalSteps * warmupRatio);
}

/** For inverse_sqrt without warmup: steps until the rate has fallen to 1/√2. */
const TIMESCALE = 10_000;

interface At {
  step: number;
  total: number;
  warmup: number;
  settings: ScheduleSettings;
}

/** The fraction of steps left after warmup: from 1 when it ends to 0 at the end of the run. */
const remaining = ({ step, total, warmup }: At) => (total - step) / Math.max(1, total - warmup);
const halfCosine = (progress: number) => Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));

/** The factor after warmup, or over the whole run for schedules without warmup. */
const SHAPES: Record<LrSchedulerType, (at: At) => number> = {
  constant: () => 1,
  constant_with_warmup: () => 1,
  linear: (at) => Math.max(0, remaining(at)),
  cosine: (at) => halfCosine(progressOf(at)),
  cosine_with_restarts: (at) => {
    const progress = progressOf(at);
    return progress >= 1 ? 0 : halfCosine(((at.settings.lr_num_cycles ?? 1) * progress) % 1);
  },
  polynomial: ({ step, total, warmup, settings: { lr_power = 1, lr_end_ratio = 0 } }) => {
    if (step >= total) return lr_end_ratio;
    return (1 - lr_end_ratio) * (1 - (step - warmup) / (total - warmup)) ** lr_power + lr_end_ratio;
  },
  inverse_sqrt: ({ step, warmup }) => {
    const timescale = warmup || TIMESCALE;
    return 1 / Math.sqrt((step + timescale - warmup) / timescale);
  },
  warmup_stable_decay: ({ step, total, settings: { lr_decay_ratio = 0 } }) => {
    const decay = Math.ceil(total * lr_decay_ratio);
    if (step < total - decay) return 1;
    return step < total ? halfCosine((step - (total - decay)) / Math.max(1, decay)) : 0;
  },
  slanted_triangular: slantedTriangular,
};

function progressOf({ step, total, warmup }: At): number {
  return (step - warmup) / Math.max(1, total - warmup);
}

/**
 * Howard & Ruder (2018), equation 3. If T · cut_frac is not whole, cut is rounded down and their last steps would fall
 * below the lowest rate; here the rate stays at it.
 */
function slantedTriangular({ step, total, settings: { lr_cut_frac = 0.1, lr_ratio = 32 } }: At): number {
  const cut = Math.max(1, Math.floor(total * lr_cut_frac));
  const p = step < cut ? step / cut : 1 - (step - cut) / (cut * (1 / lr_cut_frac - 1));
  return (1 + Math.max(0, p) * (lr_ratio - 1)) / lr_ratio;
}

const WITHOUT_WARMUP: ReadonlySet<LrSchedulerType> = new Set(['constant', 'slanted_triangular']);

/** Factor for step `step` (from 0) of `totalSteps`. */
export function scheduleFactor(settings: ScheduleSettings, step: number, totalSteps: number): number {
  const { lr_scheduler_type: type, warmup_ratio } = settings;
  const warmup = warmupSteps(totalSteps, warmup_ratio);
  if (step < warmup && !WITHOUT_WARMUP.has(type)) return step / Math.max(1, warmup);
  return SHAPES[type]({ step, total: totalSteps, warmup, settings });
}
