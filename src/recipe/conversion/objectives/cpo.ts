/** CPO and SimPO in other trainers. Axolotl and LLaMA-Factory have SimPO alone. */
import type { CpoObjective } from '../../../objectives/cpo';
import { lost, same } from '../entries';
import { type Entry, type TypeConversion, Unreadable } from '../types';
import { PAIRS_STAGE } from './dpo';

const SIMPO = 'simpo';

const onlySimpo =
  (trainer: string) =>
  ({ loss_type }: CpoObjective): string | null =>
    loss_type === SIMPO
      ? null
      : `${trainer} has SimPO but no CPO with the loss ${loss_type}. Set objective.loss_type to simpo, or export for TRL.`;

const itIsSimpo: Entry = { read: () => SIMPO };

const left = (trainer: string, what: string): Entry =>
  lost((value) => (value === 0 ? null : `${trainer}’s SimPO has no ${what}: it is left out.`));

export const cpo: TypeConversion<CpoObjective> = {
  type: 'cpo',
  in: {
    axolotl: {
      marks: () => ({ rl: SIMPO }),
      is: (at) => at('rl') === SIMPO,
      refusal: onlySimpo('Axolotl'),
      warmupInSteps: true,
      fields: {
        loss_type: itIsSimpo,
        beta: { write: (value) => ({ rl_beta: value }), read: (at) => at('trl.beta') ?? at('rl_beta'), absent: 0.1 },
        label_smoothing: left('Axolotl', 'label smoothing'),
        cpo_alpha: same('cpo_alpha', { absent: 1 }),
        simpo_gamma: same('simpo_gamma', { absent: 0.5 }),
        alpha: left('Axolotl', 'shape of AlphaPO'),
      },
    },
    llamafactory: {
      marks: () => ({ ...PAIRS_STAGE, pref_loss: SIMPO }),
      is: (at) => at('stage') === PAIRS_STAGE.stage && at('pref_loss') === SIMPO,
      refusal: onlySimpo('LLaMA-Factory'),
      fields: {
        loss_type: itIsSimpo,
        beta: same('pref_beta', { absent: 0.1 }),
        label_smoothing: left('LLaMA-Factory', 'label smoothing'),
        cpo_alpha: same('pref_ftx', { absent: 0 }),
        simpo_gamma: same('simpo_gamma', { absent: 0.5 }),
        alpha: left('LLaMA-Factory', 'shape of AlphaPO'),
      },
    },
    trl: {
      marks: () => ({}),
      is: (at, hint) =>
        /\b(cpo|simpo)\b/.test(hint) || at('cpo_alpha') !== undefined || at('simpo_gamma') !== undefined,
      fields: {
        loss_type: {
          write: (value) => ({ loss_type: value }),
          read(at) {
            const loss = at('loss_type');
            if (loss === 'alphapo') throw new Unreadable('it is simpo here, with objective.alpha above 0.');
            return loss;
          },
          absent: 'sigmoid',
        },
        beta: same('beta', { absent: 0.1 }),
        label_smoothing: same('label_smoothing', { absent: 0 }),
        cpo_alpha: same('cpo_alpha', { absent: 1 }),
        simpo_gamma: same('simpo_gamma', { absent: 0.5 }),
        alpha: same('alpha', { absent: 0 }),
      },
      absent: { 'training.learning_rate': 1e-6 },
    },
  },
};
