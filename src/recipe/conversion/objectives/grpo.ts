/** GRPO in other trainers. LLaMA-Factory has none. */
import type { GrpoObjective } from '../../../objectives/grpo';
import { rewardOf } from '../../../rewards';
import { lost, same } from '../entries';
import { type Config, type Entry, type TypeConversion, Unreadable } from '../types';

/** Rewards are Python there: functions by name, which only a person can choose here. */
const rewards = (key: string): Entry => ({
  read(at) {
    if (at(key) === undefined) return undefined;
    throw new Unreadable('it names Python functions: choose rewards on the Recipe page.');
  },
});

/** 0 here is “as the other” or “off” there, which is what a missing key means. */
const aboveZero = (key: string): Entry => ({
  write: (value): Config => (value === 0 ? {} : { [key]: value }),
  read: (at) => at(key),
  absent: 0,
});

const scale = (key: string): Entry => ({
  write: (value) => ({ [key]: value }),
  read(at) {
    const value = at(key);
    // Booleans before TRL 0.22.
    return value === true ? 'group' : value === false ? 'none' : value;
  },
  absent: 'group',
});

const fieldsUnder = (prefix: string) => ({
  num_generations: same(`${prefix}num_generations`, { absent: 8 }),
  max_completion_length: same(`${prefix}max_completion_length`, { absent: 256 }),
  temperature: same(`${prefix}temperature`, { absent: 1 }),
  top_p: same(`${prefix}top_p`, { absent: 1 }),
  top_k: aboveZero(`${prefix}top_k`),
  beta: same(`${prefix}beta`, { absent: 0 }),
  use_bias_correction_kl: same(`${prefix}use_bias_correction_kl`),
  loss_type: same(`${prefix}loss_type`),
  scale_rewards: scale(`${prefix}scale_rewards`),
  importance_sampling_level: same(`${prefix}importance_sampling_level`, { absent: 'token' }),
  num_iterations: same(`${prefix}num_iterations`, { absent: 1 }),
  epsilon: same(`${prefix}epsilon`, { absent: 0.2 }),
  epsilon_high: aboveZero(`${prefix}epsilon_high`),
  mask_truncated_completions: same(`${prefix}mask_truncated_completions`, { absent: false }),
});

export const grpo: TypeConversion<GrpoObjective> = {
  type: 'grpo',
  in: {
    axolotl: {
      marks: () => ({ rl: 'grpo', 'trl.use_vllm': false }),
      is: (at) => at('rl') === 'grpo',
      refusal({ rewards: list }) {
        const foreign = list.find((one) => rewardOf(one).runs !== 'worker');
        return foreign
          ? `Axolotl takes rewards as Python functions, and “${foreign.name}” is ${rewardOf(foreign).runs === 'sandbox' ? 'JavaScript' : 'a reward model of Tabtune’s'}. Take that reward out of the recipe.`
          : null;
      },
      fields: {
        ...fieldsUnder('trl.'),
        rewards: rewards('trl.reward_funcs'),
        delta: lost((value) => (value === 0 ? null : 'Axolotl has no delta: it is left out.')),
      },
    },
    trl: {
      marks: () => ({}),
      is: (at, hint) =>
        /\bgrpo\b/.test(hint) || at('num_generations') !== undefined || at('max_completion_length') !== undefined,
      fields: { ...fieldsUnder(''), rewards: rewards('reward_funcs'), delta: aboveZero('delta') },
      absent: { 'training.learning_rate': 1e-6 },
    },
  },
};
