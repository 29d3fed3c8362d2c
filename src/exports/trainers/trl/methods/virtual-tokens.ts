/** What PEFT's methods of virtual tokens share. */
import type { Python } from '../part';
import virtualTokens from '../python/virtual_tokens.py?raw';

export const virtualTokensByPeft = {
  leaves: 'adapter',
  attach: () => ['model = with_virtual_tokens(model)'],
  python: (): Python => ({
    imports: [
      'from peft import PeftConfig, get_peft_model, set_peft_model_state_dict',
      'from safetensors.torch import load_file',
    ],
    definitions: [virtualTokens],
  }),
} as const;
