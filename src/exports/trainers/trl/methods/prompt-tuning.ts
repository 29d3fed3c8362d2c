/** Prompt tuning in PEFT. */
import type { PromptMethod } from '../../../../methods/prompt-tuning';
import type { TrlMethod } from '../part';
import { virtualTokensByPeft } from './virtual-tokens';

export const promptTuning: TrlMethod<PromptMethod> = {
  type: 'prompt_tuning',
  virtualTokens: 'embeddings',
  ...virtualTokensByPeft,
};
