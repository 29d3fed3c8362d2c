/** Reward models in TRL's RewardTrainer. */
import type { RewardObjective } from '../../../../objectives/reward';
import type { TrlObjective } from '../part';
import collate from '../python/collate_scored.py?raw';
import { asTokenisedBatches, dropoutSetting, pairRow } from './pairs';

export const reward: TrlObjective<RewardObjective> = {
  type: 'reward',
  trainer: { name: 'RewardTrainer', config: 'RewardConfig', module: 'trl' },
  command: { name: 'reward', reads: 'tokens' },
  row(example, { train, validation }) {
    const { chosen_ids, rejected_ids } = pairRow(example) as Record<'chosen_ids' | 'rejected_ids', number[]>;
    const margins = [...train, ...validation].some((one) => one.kind === 'pair' && one.margin !== 0);
    return { chosen_ids, rejected_ids, ...(margins && example.kind === 'pair' ? { margin: example.margin } : {}) };
  },
  batches: () => asTokenisedBatches([collate]),
  mean: 'micro_batch',
  settings: ({ center_rewards_coefficient }, data) => ({
    ...(center_rewards_coefficient > 0 ? { center_rewards_coefficient } : {}),
    max_length: null,
    ...dropoutSetting(data),
  }),
};
