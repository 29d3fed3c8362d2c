/** Full fine-tuning in other trainers: what they do without an adapter. */
import type { FullMethod } from '../../../methods/full';
import type { TypeConversion } from '../types';

export const full: TypeConversion<FullMethod> = {
  type: 'full',
  in: {
    axolotl: { marks: () => ({}), is: (at) => at('adapter') === undefined, fields: {} },
    llamafactory: {
      marks: () => ({ finetuning_type: 'full' }),
      is: (at) => at('finetuning_type') === 'full',
      fields: {},
    },
    trl: { marks: () => ({ use_peft: false }), is: () => true, fields: {} },
  },
};
