/** DPO in other trainers. */
import type { DpoLossType, DpoObjective } from '../../../objectives/dpo';
import type { Recipe } from '../../types';
import { commaSeparated, lost, same, unless } from '../entries';
import { type Config, type Entry, type TypeConversion, Unreadable } from '../types';

/** LLaMA-Factory's stage for all objectives that learn from pairs. */
export const PAIRS_STAGE: Config = { stage: 'dpo' };

/** LLaMA-Factory's losses among ours. */
const ITS_LOSSES: readonly DpoLossType[] = ['sigmoid', 'hinge', 'ipo'];

/** LLaMA-Factory refuses PiSSA where a reference is asked, which would be the changed base. */
export const noPissa = ({ method }: Pick<Recipe, 'method'>): string | null =>
  'init_lora_weights' in method && method.init_lora_weights === 'pissa'
    ? 'LLaMA-Factory does not begin with PiSSA where answers are compared with a reference. Set method.init_lora_weights to default, or export for Axolotl or TRL.'
    : null;

const asList = (value: unknown): unknown => {
  const list = commaSeparated(value);
  return list === undefined || Array.isArray(list) ? list : [list];
};

const otherwise = (trainer: string, off: unknown, what: string): Entry =>
  lost((value) => (value === off ? null : `${trainer} has no ${what}: it is left out.`));

export const dpo: TypeConversion<DpoObjective> = {
  type: 'dpo',
  in: {
    axolotl: {
      marks: () => ({ rl: 'dpo' }),
      is: (at) => at('rl') === 'dpo' || at('rl') === 'ipo',
      newAdapter: true,
      fields: {
        loss_type: {
          write: (value) => ({ dpo_loss_type: value }),
          read: (at) => (at('rl') === 'ipo' ? ['ipo'] : asList(at('dpo_loss_type'))),
          absent: ['sigmoid'],
        },
        loss_weights: unless(null, 'dpo_loss_weights'),
        beta: {
          write: (value) => ({ rl_beta: value }),
          read: (at) => at('trl.beta') ?? at('rl_beta'),
          absent: 0.1,
        },
        label_smoothing: unless(0, 'dpo_label_smoothing'),
        f_divergence_type: otherwise('Axolotl', 'reverse_kl', 'other divergence than reverse_kl'),
        f_alpha_divergence_coef: {},
        ld_alpha: otherwise('Axolotl', 1, 'ld_alpha (LD-DPO)'),
        use_weighting: unless(false, 'dpo_use_weighting'),
        discopop_tau: otherwise('Axolotl', 0.05, 'discopop_tau'),
        precompute_ref_log_probs: unless(false, 'precompute_ref_log_probs'),
      },
    },
    llamafactory: {
      marks: () => PAIRS_STAGE,
      is: (at) => at('stage') === 'dpo',
      refusal({ loss_type, use_weighting }, recipe) {
        const [loss] = loss_type;
        if (loss_type.length > 1 || (loss && !ITS_LOSSES.includes(loss))) {
          return `LLaMA-Factory’s DPO has one loss of ${ITS_LOSSES.join(', ')}, and this run has ${loss_type.join(', ')}. Export for Axolotl or TRL.`;
        }
        return use_weighting ? 'LLaMA-Factory does not weigh pairs (WPO). Export for Axolotl or TRL.' : noPissa(recipe);
      },
      fields: {
        loss_type: {
          write: (value) => ({ pref_loss: (value as string[])[0] }),
          read(at) {
            const loss = at('pref_loss');
            if (loss === 'kto_pair') throw new Unreadable('Tabtune has no loss kto_pair.');
            return asList(loss);
          },
          absent: ['sigmoid'],
        },
        // One loss: its weight is the size of the step.
        loss_weights: lost((value) =>
          value === null || (value as number[])[0] === 1
            ? null
            : 'LLaMA-Factory has no weights of losses: loss_weights is left out.',
        ),
        beta: same('pref_beta', { absent: 0.1 }),
        label_smoothing: unless(0, 'dpo_label_smoothing'),
        f_divergence_type: otherwise('LLaMA-Factory', 'reverse_kl', 'other divergence than reverse_kl'),
        f_alpha_divergence_coef: {},
        ld_alpha: unless(1, 'ld_alpha'),
        use_weighting: {},
        discopop_tau: {},
        precompute_ref_log_probs: lost((value) =>
          value ? 'LLaMA-Factory asks the reference at every step; the sums are the same.' : null,
        ),
      },
    },
    trl: {
      marks: () => ({}),
      is: (at, hint) =>
        /\bdpo\b/.test(hint) ||
        ['beta', 'loss_type', 'ld_alpha', 'precompute_ref_log_probs', 'f_divergence_type', 'rpo_alpha'].some(
          (key) => at(key) !== undefined,
        ),
      fields: {
        loss_type: {
          write: (value) => ({ loss_type: value }),
          read: (at) => asList(at('loss_type')),
          absent: ['sigmoid'],
        },
        loss_weights: unless(null, 'loss_weights'),
        beta: same('beta', { absent: 0.1 }),
        label_smoothing: same('label_smoothing', { absent: 0 }),
        f_divergence_type: same('f_divergence_type', { absent: 'reverse_kl' }),
        f_alpha_divergence_coef: same('f_alpha_divergence_coef', { absent: 0.5 }),
        ld_alpha: unless(1, 'ld_alpha'),
        use_weighting: same('use_weighting', { absent: false }),
        discopop_tau: same('discopop_tau', { absent: 0.05 }),
        precompute_ref_log_probs: same('precompute_ref_log_probs', { absent: false }),
      },
      absent: { 'training.learning_rate': 1e-6 },
    },
  },
};
