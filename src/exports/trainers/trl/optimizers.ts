/** The recipe's optimiser and schedule in transformers: settings, and what the script brings where there are none. */
import type { OptimizerName, TrainingSection } from '../../../recipe/sections';
import type { Python, Settings } from './part';
import lion from './python/lion.py?raw';
import ownAdam from './python/own_adam.py?raw';
import ownLion from './python/own_lion.py?raw';
import slantedTriangular from './python/slanted_triangular.py?raw';
import { ownSchedule } from './settings';

interface Optimizer {
  settings(training: TrainingSection): Settings;
  python?: Python;
  packages?: readonly string[];
  difference?: string;
}

const betas = ({ adam_beta1, adam_beta2 }: TrainingSection): Settings => ({ adam_beta1, adam_beta2 });
const adamw = (training: TrainingSection): Settings => ({
  optim: 'adamw_torch',
  ...betas(training),
  adam_epsilon: training.adam_epsilon,
});

const OPTIMIZERS: Record<OptimizerName, Optimizer> = {
  adamw: { settings: adamw },
  adamw_8bit: {
    settings: (training) => ({ ...adamw(training), optim: 'adamw_bnb_8bit' }),
    packages: ['bitsandbytes'],
    difference:
      'The moments in 8 bits are those of bitsandbytes, whose embeddings keep 32 bits; here theirs have 8 as well.',
  },
  adam: {
    settings: (training) => ({ ...betas(training), adam_epsilon: training.adam_epsilon }),
    python: { imports: [], definitions: [], mixins: [{ name: 'OwnOptimizer', code: ownAdam }] },
  },
  sgd: { settings: ({ sgd_momentum }) => ({ optim: 'sgd', optim_args: `momentum=${sgd_momentum}` }) },
  lion: {
    settings: betas,
    python: { imports: [], definitions: [lion], mixins: [{ name: 'OwnOptimizer', code: ownLion }] },
  },
  adafactor: { settings: () => ({ optim: 'adafactor' }) },
};

export function optimizerOf(training: TrainingSection): {
  settings: Settings;
  python: Python;
  packages: readonly string[];
  differences: string[];
} {
  const { settings, python = NONE, packages = [], difference } = OPTIMIZERS[training.optim];
  const schedule: Python = ownSchedule(training)
    ? {
        imports: [],
        definitions: [`CUT_FRACTION = ${training.lr_cut_frac}`, `PEAK_TO_LOWEST = ${training.lr_ratio}`],
        mixins: [{ name: 'OwnSchedule', code: slantedTriangular }],
      }
    : NONE;
  return {
    settings: settings(training),
    python: joined([python, schedule]),
    packages,
    differences: difference ? [difference] : [],
  };
}

const NONE: Python = { imports: [], definitions: [], mixins: [] };

export const joined = (parts: readonly Python[]): Python => ({
  imports: parts.flatMap(({ imports }) => imports),
  definitions: parts.flatMap(({ definitions }) => definitions),
  mixins: parts.flatMap(({ mixins = [] }) => mixins),
});
