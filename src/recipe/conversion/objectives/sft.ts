/** Instruction tuning in other trainers: what they do if nothing else is said. */
import type { SftObjective } from '../../../objectives/sft';
import { firstOf, not } from '../entries';
import type { TypeConversion } from '../types';

export const sft: TypeConversion<SftObjective> = {
  type: 'sft',
  in: {
    axolotl: {
      marks: () => ({}),
      is: (at) => at('rl') === undefined,
      fields: { assistant_only_loss: not('train_on_inputs', { absent: true }) },
    },
    llamafactory: {
      marks: () => ({ stage: 'sft' }),
      is: (at) => [undefined, 'sft'].includes(at('stage') as string | undefined),
      fields: { assistant_only_loss: not('train_on_prompt', { absent: true }) },
    },
    trl: {
      marks: () => ({}),
      is: () => true,
      fields: {
        assistant_only_loss: {
          write: (value) => ({ assistant_only_loss: value }),
          read: (at) => firstOf(at, ['assistant_only_loss', 'completion_only_loss']),
        },
      },
      absent: { 'training.learning_rate': 2e-5 },
    },
  },
};
