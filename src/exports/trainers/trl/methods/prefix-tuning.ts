/** Prefix tuning in PEFT. */
import type { PrefixMethod } from '../../../../methods/prefix-tuning';
import type { TrlMethod } from '../part';
import { virtualTokensByPeft } from './virtual-tokens';

export const prefixTuning: TrlMethod<PrefixMethod> = {
  type: 'prefix_tuning',
  virtualTokens: 'prefix',
  ...virtualTokensByPeft,
  refusal: (_section, { recipe }) =>
    recipe.training.gradient_checkpointing === true
      ? 'PEFT has no gradient checkpointing for prefix tuning: set training.gradient_checkpointing to auto or false.'
      : null,
};
