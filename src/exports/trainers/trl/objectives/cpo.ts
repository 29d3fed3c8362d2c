/** CPO, SimPO and AlphaPO in TRL's CPOTrainer. */
import type { CpoObjective } from '../../../../objectives/cpo';
import type { TrlObjective } from '../part';
import { concatenatedBatches } from './concatenated';
import { dropoutSetting, pairRow } from './pairs';

export const cpo: TrlObjective<CpoObjective> = {
  type: 'cpo',
  trainer: { name: 'CPOTrainer', config: 'CPOConfig', module: 'trl.experimental.cpo' },
  command: null,
  row: pairRow,
  batches: concatenatedBatches,
  mean: 'micro_batch',
  // The likelihood is a mean over the tokens of a micro-batch.
  wholeBatches: ({ cpo_alpha }) => cpo_alpha > 0,
  settings: ({ loss_type, beta, label_smoothing, cpo_alpha, simpo_gamma, alpha }, data) => ({
    ...{ loss_type, beta, label_smoothing, cpo_alpha, simpo_gamma, alpha },
    max_length: data.maxLength,
    ...dropoutSetting(data),
  }),
};
