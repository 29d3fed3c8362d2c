/** Answers in TRL's SFTTrainer. */
import type { SftObjective } from '../../../../objectives/sft';
import type { TrlObjective } from '../part';
import { isPacked, nextTokenBatches, nextTokenRow, SFT_TRAINER } from './next-token';

export const SFT_COMMAND = { name: 'sft', reads: 'tokens', texts: true } as const;

export const sft: TrlObjective<SftObjective> = {
  type: 'sft',
  trainer: SFT_TRAINER,
  command: SFT_COMMAND,
  virtualTokens: true,
  row: (example, data) => nextTokenRow(example, isPacked(data)),
  batches: nextTokenBatches,
  mean: 'step',
  // The rows are cut already, and must not be cut again or left out.
  settings: () => ({ max_length: null }),
};
