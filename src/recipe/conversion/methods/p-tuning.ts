/** P-tuning in PEFT's configs. */
import type { PTuningMethod } from '../../../methods/p-tuning';
import { same } from '../entries';
import type { TypeConversion } from '../types';

export const pTuning: TypeConversion<PTuningMethod> = {
  type: 'p_tuning',
  in: {
    peft: {
      marks: () => ({ peft_type: 'P_TUNING' }),
      is: (at) => at('peft_type') === 'P_TUNING',
      fields: {
        num_virtual_tokens: same('num_virtual_tokens'),
        encoder_hidden_size: same('encoder_hidden_size', { absent: null }),
        init_adapter: {},
      },
    },
  },
};
