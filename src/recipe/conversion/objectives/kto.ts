/** KTO in other trainers. */
import type { KtoObjective } from '../../../objectives/kto';
import { lost, same, unless } from '../entries';
import type { TypeConversion } from '../types';
import { noPissa } from './dpo';

const onlyKto =
  (trainer: string) =>
  ({ loss_type }: KtoObjective): string | null =>
    loss_type === 'kto'
      ? null
      : `${trainer}’s KTO has no loss ${loss_type}. Set objective.loss_type to kto, or export for TRL.`;

export const kto: TypeConversion<KtoObjective> = {
  type: 'kto',
  in: {
    axolotl: {
      marks: () => ({ rl: 'kto' }),
      is: (at) => at('rl') === 'kto',
      refusal: onlyKto('Axolotl'),
      newAdapter: true,
      fields: {
        loss_type: {},
        beta: { write: (value) => ({ rl_beta: value }), read: (at) => at('trl.beta') ?? at('rl_beta'), absent: 0.1 },
        desirable_weight: same('kto_desirable_weight', { absent: 1 }),
        undesirable_weight: same('kto_undesirable_weight', { absent: 1 }),
        precompute_ref_log_probs: lost((value) =>
          value ? 'Axolotl asks the reference at every step of KTO; the sums are the same.' : null,
        ),
      },
    },
    llamafactory: {
      marks: () => ({ stage: 'kto' }),
      is: (at) => at('stage') === 'kto',
      refusal: (section, recipe) => onlyKto('LLaMA-Factory')(section) ?? noPissa(recipe),
      fields: {
        loss_type: {},
        beta: same('pref_beta', { absent: 0.1 }),
        desirable_weight: same('kto_chosen_weight', { absent: 1 }),
        undesirable_weight: same('kto_rejected_weight', { absent: 1 }),
        precompute_ref_log_probs: lost((value) =>
          value ? 'LLaMA-Factory asks the reference at every step; the sums are the same.' : null,
        ),
      },
    },
    trl: {
      marks: () => ({}),
      is: (at, hint) =>
        /\bkto\b/.test(hint) || at('desirable_weight') !== undefined || at('undesirable_weight') !== undefined,
      fields: {
        loss_type: same('loss_type', { absent: 'kto' }),
        beta: same('beta', { absent: 0.1 }),
        desirable_weight: same('desirable_weight', { absent: 1 }),
        undesirable_weight: same('undesirable_weight', { absent: 1 }),
        precompute_ref_log_probs: unless(false, 'precompute_ref_log_probs'),
      },
      absent: { 'training.learning_rate': 1e-6 },
    },
  },
};
