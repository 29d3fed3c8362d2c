/** (IA)³: of the trainers, only PEFT's own configs have it. */
import type { Ia3Method } from '../../../methods/ia3';
import { same } from '../entries';
import type { TypeConversion } from '../types';

export const ia3: TypeConversion<Ia3Method> = {
  type: 'ia3',
  in: {
    peft: {
      marks: () => ({ peft_type: 'IA3' }),
      is: (at) => at('peft_type') === 'IA3',
      fields: {
        target_modules: same('target_modules', { absent: 'auto' }),
        feedforward_modules: same('feedforward_modules', { absent: 'auto' }),
        modules_to_save: same('modules_to_save', { absent: [] }),
        init_adapter: {},
      },
    },
  },
};
