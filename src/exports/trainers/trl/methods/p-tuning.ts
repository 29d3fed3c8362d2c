/** P-tuning in PEFT. */
import type { PTuningMethod } from '../../../../methods/p-tuning';
import type { TrlMethod } from '../part';
import { virtualTokensByPeft } from './virtual-tokens';

export const pTuning: TrlMethod<PTuningMethod> = {
  type: 'p_tuning',
  virtualTokens: 'embeddings',
  ...virtualTokensByPeft,
};
