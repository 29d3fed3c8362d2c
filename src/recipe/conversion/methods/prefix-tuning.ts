/** Prefix tuning in PEFT's configs. */
import type { PrefixMethod } from '../../../methods/prefix-tuning';
import { same } from '../entries';
import type { TypeConversion } from '../types';

export const prefixTuning: TypeConversion<PrefixMethod> = {
  type: 'prefix_tuning',
  in: {
    peft: {
      marks: () => ({ peft_type: 'PREFIX_TUNING' }),
      is: (at) => at('peft_type') === 'PREFIX_TUNING',
      fields: {
        num_virtual_tokens: same('num_virtual_tokens'),
        prefix_projection: same('prefix_projection', { absent: false }),
        encoder_hidden_size: same('encoder_hidden_size', { absent: null }),
        prefix_tuning_init_text: {},
        init_adapter: {},
      },
    },
  },
};
