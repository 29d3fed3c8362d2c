/** Reward models in other trainers. */
import type { RewardObjective } from '../../../objectives/reward';
import { isOn, lost, unless } from '../entries';
import type { TypeConversion } from '../types';

export const reward: TypeConversion<RewardObjective> = {
  type: 'reward',
  in: {
    axolotl: {
      marks: () => ({ reward_model: true, num_labels: 1, model_type: 'AutoModelForSequenceClassification' }),
      is: (at) => isOn(at('reward_model')),
      fields: { center_rewards_coefficient: unless(0, 'center_rewards_coefficient') },
    },
    llamafactory: {
      marks: () => ({ stage: 'rm' }),
      is: (at) => at('stage') === 'rm',
      newAdapter: true,
      fields: {
        center_rewards_coefficient: lost((value) =>
          value === 0
            ? 'LLaMA-Factory trains a value head on the language model (TRL’s AutoModelForCausalLMWithValueHead), and not a classifier: its files open there and not here.'
            : 'LLaMA-Factory does not centre rewards, and trains a value head on the language model, which opens there and not here.',
        ),
      },
    },
    trl: {
      // With an adapter, PEFT then trains the head that gives the reward.
      marks: () => ({ lora_task_type: 'SEQ_CLS' }),
      is: (at, hint) =>
        /\b(reward|rm)\b/.test(hint) ||
        at('center_rewards_coefficient') !== undefined ||
        at('lora_task_type') === 'SEQ_CLS',
      fields: { center_rewards_coefficient: unless(0, 'center_rewards_coefficient') },
      absent: { 'training.learning_rate': 1e-4 },
    },
  },
};
