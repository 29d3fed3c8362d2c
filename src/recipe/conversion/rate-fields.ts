/** The learning rate, its schedule and the optimiser in other trainers' configs. */
import { schedules } from '../catalogue/rates';
import type { RecipePath } from '../fields';
import type { LrSchedulerType, OptimizerName } from '../sections';
import { asNumber, same } from './entries';
import { inTransformers } from './schedules';
import { type Config, type ConfigReader, type Entry, type Row, type Run, Unreadable } from './types';

type RatePath = Extract<
  RecipePath,
  | 'training.learning_rate'
  | 'training.lr_scheduler_type'
  | 'training.warmup_ratio'
  | `training.lr_${string}`
  | 'training.optim'
  | `training.adam_${string}`
  | 'training.sgd_momentum'
  | 'training.weight_decay'
  | 'training.max_grad_norm'
>;

/** What stands in for a schedule that transformers lacks. */
const NEAREST = 'linear';

const schedule = (key: string, trainer: string, absent: string): Entry => ({
  write: (value) => ({ [key]: inTransformers(value as LrSchedulerType) ?? NEAREST }),
  read(at) {
    const value = at(key);
    if (value === undefined) return undefined;
    if (typeof value === 'string' && Object.hasOwn(schedules, value) && inTransformers(value as LrSchedulerType))
      return value;
    throw new Unreadable('Tabtune has no such schedule.');
  },
  absent,
  lost: (value) =>
    inTransformers(value as LrSchedulerType) === null
      ? `${trainer} has no slanted triangular schedule: linear with the same rise stands in for it, and ends at 0.`
      : null,
});

/** Steps of the run, where a config says how many there are. */
function stepsIn(at: ConfigReader): number | undefined {
  const steps = asNumber(at('max_steps'));
  return steps !== undefined && steps > 0 ? steps : undefined;
}

function warmup(at: ConfigReader): unknown {
  const ratio = at('warmup_ratio');
  if (ratio !== undefined && asNumber(ratio) !== 0) return ratio;
  const steps = asNumber(at('warmup_steps'));
  if (steps === undefined) return ratio;
  // transformers 5 takes a share under this name too.
  if (steps < 1) return steps;
  const total = stepsIn(at);
  if (total !== undefined) return Math.min(1, steps / total);
  throw new Unreadable('it is a number of steps, and here it is a share of the run: set training.warmup_ratio.');
}

const warmedUp = (absent: number, rounding?: Entry['lost']): Entry => ({
  write: (value, { facts, warmupInSteps }): Config =>
    warmupInSteps ? { warmup_steps: Math.ceil((value as number) * facts.steps) } : { warmup_ratio: value },
  read: warmup,
  absent,
  lost: rounding,
});

const roundedDown: Entry['lost'] = (value, { facts, warmupInSteps }) => {
  const exact = (value as number) * facts.steps;
  // A single step becomes two.
  const [ours, theirs] = [Math.ceil(exact), Math.floor(exact) === 1 ? 2 : Math.floor(exact)];
  if (ours === theirs || warmupInSteps) return null;
  return `Axolotl rounds the warm-up to ${theirs} of ${facts.steps} steps, and Tabtune to ${ours}.`;
};

/** A field of the schedule that has keyword arguments under `key`. */
const argument = (
  key: string,
  name: string,
  convert: { to(value: number, run: Run): number; from(value: number, at: ConfigReader): number } = {
    to: (value) => value,
    from: (value) => value,
  },
): Entry => ({
  write: (value, run) => ({ [`${key}.${name}`]: convert.to(value as number, run) }),
  read(at) {
    const value = at(`${key}.${name}`);
    const number = asNumber(value);
    return number === undefined ? value : convert.from(number, at);
  },
});

const KWARGS = 'lr_scheduler_kwargs';
const everywhere = (entry: Entry): Row => ({ axolotl: entry, llamafactory: entry, trl: entry });

const OPTIMISERS: Record<OptimizerName, readonly string[]> = {
  adamw: [
    'adamw_torch',
    'adamw_torch_fused',
    'adamw_hf',
    'adamw',
    'paged_adamw',
    'paged_adamw_32bit',
    'adamw_apex_fused',
    'adamw_torch_xla',
    'adamw_anyprecision',
    'optimi_adamw',
    'flash_adamw',
  ],
  adamw_8bit: ['adamw_8bit', 'adamw_bnb_8bit', 'paged_adamw_8bit', 'ao_adamw_8bit', 'adamw_torch_8bit'],
  adam: [],
  sgd: ['sgd', 'flash_sgd'],
  lion: ['lion_32bit', 'lion_8bit', 'paged_lion_32bit', 'paged_lion_8bit', 'flash_lion'],
  adafactor: ['adafactor'],
};

const optimiser = (key: string, trainer: string): Entry => ({
  write: (value) => ({ [key]: OPTIMISERS[value as OptimizerName][0] ?? OPTIMISERS.adamw[0] }),
  read(at) {
    const value = at(key);
    if (value === undefined) return undefined;
    const found = Object.entries(OPTIMISERS).find(([, list]) => list.includes(String(value)));
    if (!found) throw new Unreadable('Tabtune has no such optimiser.');
    return found[0];
  },
  absent: 'adamw',
  lost(value, { recipe: { training } }) {
    if (value === 'adam' && training.weight_decay > 0) {
      return `${trainer} has no Adam: AdamW stands in for it, which keeps weight decay out of the gradient’s averages.`;
    }
    return value === 'sgd' && training.weight_decay > 0
      ? `${trainer}’s SGD adds weight decay to the gradient, and so to the momentum; here it is apart.`
      : null;
  },
});

export const rateRows: Record<RatePath, Row> = {
  'training.learning_rate': {
    axolotl: same('learning_rate'),
    llamafactory: same('learning_rate', { absent: 5e-5 }),
    trl: same('learning_rate', { absent: 5e-5 }),
  },
  'training.lr_scheduler_type': {
    axolotl: schedule('lr_scheduler', 'Axolotl', 'cosine'),
    llamafactory: schedule('lr_scheduler_type', 'LLaMA-Factory', 'linear'),
    trl: schedule('lr_scheduler_type', 'TRL', 'linear'),
  },
  'training.warmup_ratio': {
    axolotl: warmedUp(0.03, roundedDown),
    llamafactory: warmedUp(0),
    // transformers 5 has the share under this name, and takes 1 for a single step.
    trl: { ...warmedUp(0), write: (value, { facts }) => ({ warmup_steps: value === 1 ? facts.steps : value }) },
  },
  'training.lr_num_cycles': everywhere(argument(KWARGS, 'num_cycles')),
  'training.lr_power': everywhere(argument(KWARGS, 'power')),
  'training.lr_end_ratio': everywhere(
    argument(KWARGS, 'lr_end', {
      to: (ratio, { recipe }) => ratio * recipe.training.learning_rate,
      from(end, at) {
        const rate = asNumber(at('learning_rate'));
        if (rate === undefined || rate === 0) throw new Unreadable('it needs learning_rate beside it.');
        // 0.1 · 3e-4 / 3e-4 is not quite 0.1.
        return Number((end / rate).toPrecision(12));
      },
    }),
  ),
  'training.lr_decay_ratio': everywhere(
    argument(KWARGS, 'num_decay_steps', {
      to: (ratio, { facts }) => Math.ceil(ratio * facts.steps),
      from(steps, at) {
        const total = stepsIn(at);
        if (total === undefined) {
          throw new Unreadable(
            'it is a number of steps, and here it is a share of the run: set training.lr_decay_ratio.',
          );
        }
        return Math.min(1, steps / total);
      },
    }),
  ),
  // Of the linear schedule that stands in for ULMFiT's.
  'training.lr_cut_frac': {
    ...everywhere({ write: (value) => ({ warmup_ratio: value }) }),
    trl: { write: (value) => ({ warmup_steps: value }) },
  },
  'training.lr_ratio': everywhere({}),
  'training.optim': {
    axolotl: optimiser('optimizer', 'Axolotl'),
    llamafactory: optimiser('optim', 'LLaMA-Factory'),
    trl: optimiser('optim', 'TRL'),
  },
  'training.adam_beta1': everywhere(same('adam_beta1')),
  'training.adam_beta2': everywhere(same('adam_beta2')),
  'training.adam_epsilon': everywhere(same('adam_epsilon')),
  'training.sgd_momentum': {
    axolotl: argument('optim_args', 'momentum'),
    llamafactory: momentum(),
    trl: momentum(),
  },
  'training.weight_decay': {
    axolotl: same('weight_decay', { absent: 0 }),
    llamafactory: same('weight_decay', { absent: 0 }),
    trl: same('weight_decay', { absent: 0 }),
  },
  'training.max_grad_norm': everywhere(same('max_grad_norm', { absent: 1 })),
};

/** Arguments of the optimiser as one text. */
function momentum(): Entry {
  return {
    write: (value) => ({ optim_args: `momentum=${value}` }),
    read(at) {
      const text = at('optim_args');
      if (typeof text !== 'string') return undefined;
      return /(?:^|,)\s*momentum\s*=\s*([^,\s]+)/.exec(text)?.[1];
    },
  };
}
