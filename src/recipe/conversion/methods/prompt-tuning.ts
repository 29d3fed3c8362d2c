/** Prompt tuning in PEFT's configs. */
import type { PromptMethod } from '../../../methods/prompt-tuning';
import { same } from '../entries';
import type { TypeConversion } from '../types';

export const promptTuning: TypeConversion<PromptMethod> = {
  type: 'prompt_tuning',
  in: {
    peft: {
      marks: () => ({ peft_type: 'PROMPT_TUNING' }),
      is: (at) => at('peft_type') === 'PROMPT_TUNING',
      fields: {
        num_virtual_tokens: same('num_virtual_tokens'),
        prompt_tuning_init: same('prompt_tuning_init', { absent: 'RANDOM' }),
        prompt_tuning_init_text: same('prompt_tuning_init_text', { absent: '' }),
        init_adapter: {},
      },
    },
  },
};
