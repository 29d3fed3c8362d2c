/** ORPO in other trainers. */
import type { OrpoObjective } from '../../../objectives/orpo';
import { same } from '../entries';
import type { TypeConversion } from '../types';
import { PAIRS_STAGE } from './dpo';

export const orpo: TypeConversion<OrpoObjective> = {
  type: 'orpo',
  in: {
    axolotl: {
      marks: () => ({ rl: 'orpo' }),
      is: (at) => at('rl') === 'orpo',
      fields: {
        beta: {
          write: (value) => ({ orpo_alpha: value }),
          read: (at) => at('trl.beta') ?? at('rl_beta') ?? at('orpo_alpha'),
          absent: 0.1,
        },
      },
    },
    llamafactory: {
      marks: () => ({ ...PAIRS_STAGE, pref_loss: 'orpo' }),
      is: (at) => at('stage') === PAIRS_STAGE.stage && at('pref_loss') === 'orpo',
      fields: { beta: same('pref_beta', { absent: 0.1 }) },
    },
    trl: {
      marks: () => ({}),
      is: (_at, hint) => /\borpo\b/.test(hint),
      fields: { beta: same('beta', { absent: 0.1 }) },
      absent: { 'training.learning_rate': 1e-6 },
    },
  },
};
