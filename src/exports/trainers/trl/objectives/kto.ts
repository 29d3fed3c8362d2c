/** KTO in TRL's KTOTrainer. */
import type { TokenizedExample } from '../../../../data/types';
import type { KtoObjective } from '../../../../objectives/kto';
import type { Settings, TrlObjective } from '../part';
import collate from '../python/collate_judged.py?raw';
import { asTokenisedBatches, dropoutSetting, PRECOMPUTED } from './pairs';

function row(example: TokenizedExample): Settings {
  if (example.kind !== 'judged') throw new Error(`A row of the kind ${example.kind} is not judged.`);
  const { ids, promptLength, good, beyond = new Int32Array(), limit } = example;
  // Without a limit, none that a sequence could reach.
  return { ids: [...ids], prompt: promptLength, beyond: [...beyond], limit: limit ?? 2 ** 31 - 1, good };
}

export const kto: TrlObjective<KtoObjective> = {
  type: 'kto',
  trainer: { name: 'KTOTrainer', config: 'KTOConfig', module: 'trl' },
  command: {
    ...{ name: 'kto', reads: 'text' },
    // It compares with the answers of neighbouring rows.
    inOrder: ({ loss_type }) => loss_type === 'kto',
  },
  row,
  batches: () => asTokenisedBatches([collate]),
  mean: 'micro_batch',
  wholeBatches: ({ loss_type }) => loss_type === 'kto',
  settings: (section, data) => ({
    loss_type: section.loss_type,
    beta: section.beta,
    desirable_weight: section.desirable_weight,
    undesirable_weight: section.undesirable_weight,
    max_length: null,
    // Which it insists on; the order is that of data/steps.jsonl.
    train_sampling_strategy: 'sequential',
    ...dropoutSetting(data),
  }),
  *differences({ precompute_ref_log_probs }) {
    if (precompute_ref_log_probs) yield PRECOMPUTED;
  },
};
