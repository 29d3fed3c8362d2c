/** Continued pretraining in TRL's SFTTrainer: every token is learned. */
import type { PretrainingObjective } from '../../../../objectives/pretraining';
import type { TrlObjective } from '../part';
import { SFT_COMMAND, sft } from './sft';

export const pretraining: TrlObjective<PretrainingObjective> = {
  type: 'pretraining',
  trainer: sft.trainer,
  command: SFT_COMMAND,
  virtualTokens: true,
  row: sft.row,
  batches: sft.batches,
  mean: sft.mean,
  settings: () => ({ max_length: null }),
};
