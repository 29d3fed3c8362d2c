/** ORPO in TRL's ORPOTrainer. */
import type { OrpoObjective } from '../../../../objectives/orpo';
import type { TrlObjective } from '../part';
import { concatenatedBatches } from './concatenated';
import { dropoutSetting, pairRow } from './pairs';

export const orpo: TrlObjective<OrpoObjective> = {
  type: 'orpo',
  trainer: { name: 'ORPOTrainer', config: 'ORPOConfig', module: 'trl.experimental.orpo' },
  command: null,
  row: pairRow,
  batches: concatenatedBatches,
  mean: 'micro_batch',
  // The likelihood is a mean over the tokens of a micro-batch.
  wholeBatches: () => true,
  settings: ({ beta }, data) => ({ beta, max_length: data.maxLength, ...dropoutSetting(data) }),
};
