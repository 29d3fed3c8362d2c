/** DPO in TRL's DPOTrainer. */
import type { DpoLossType, DpoObjective } from '../../../../objectives/dpo';
import type { TrlObjective } from '../part';
import collate from '../python/collate_pairs.py?raw';
import { asTokenisedBatches, dropoutSetting, PRECOMPUTED, pairRow } from './pairs';

/** Losses that sort the values of a batch, or average over its tokens. */
const OF_A_BATCH: Partial<Record<DpoLossType, true>> = { aot: true, aot_unpaired: true, sft: true };

export const dpo: TrlObjective<DpoObjective> = {
  type: 'dpo',
  trainer: { name: 'DPOTrainer', config: 'DPOConfig', module: 'trl' },
  command: { name: 'dpo', reads: 'text' },
  row: pairRow,
  batches: () => asTokenisedBatches([collate]),
  mean: 'micro_batch',
  wholeBatches: ({ loss_type }) => loss_type.some((type) => OF_A_BATCH[type]),
  settings: (section, data) => ({
    loss_type: section.loss_type,
    ...(section.loss_weights ? { loss_weights: section.loss_weights } : {}),
    beta: section.beta,
    label_smoothing: section.label_smoothing,
    f_divergence_type: section.f_divergence_type,
    f_alpha_divergence_coef: section.f_alpha_divergence_coef,
    ...(section.ld_alpha === 1 ? {} : { ld_alpha: section.ld_alpha }),
    use_weighting: section.use_weighting,
    discopop_tau: section.discopop_tau,
    max_length: null,
    ...dropoutSetting(data),
  }),
  *differences({ precompute_ref_log_probs }) {
    if (precompute_ref_log_probs) yield PRECOMPUTED;
  },
};
