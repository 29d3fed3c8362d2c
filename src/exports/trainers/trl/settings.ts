/** The training section of a recipe as transformers' TrainingArguments. */
import { inTransformers } from '../../../recipe/conversion/schedules';
import type { TrainingSection } from '../../../recipe/sections';
import type { TrainingData } from '../training-data';
import type { Settings } from './part';

const scheduleSettings = (training: TrainingSection, steps: number): Settings => {
  switch (training.lr_scheduler_type) {
    case 'cosine_with_restarts':
      return { num_cycles: training.lr_num_cycles };
    case 'polynomial':
      return { power: training.lr_power, lr_end: training.lr_end_ratio * training.learning_rate };
    case 'warmup_stable_decay':
      return { num_decay_steps: Math.ceil(steps * training.lr_decay_ratio), decay_type: 'cosine' };
    default:
      return {};
  }
};

/** Whether the schedule has to come with the script. */
export const ownSchedule = ({ lr_scheduler_type: type }: TrainingSection): boolean => inTransformers(type) === null;

/** Fields of TrainingArguments. TRL's defaults (bfloat16, gradient checkpointing, a log every ten steps) are others. */
export function trainingSettings({ recipe, steps, validation }: TrainingData): Settings {
  const { training } = recipe;
  const schedule = scheduleSettings(training, steps);
  const evaluates = validation.length > 0;
  return {
    max_steps: steps,
    learning_rate: training.learning_rate,
    lr_scheduler_type: inTransformers(training.lr_scheduler_type) ?? 'constant',
    ...(Object.keys(schedule).length > 0 ? { lr_scheduler_kwargs: schedule } : {}),
    warmup_steps: Math.ceil(steps * training.warmup_ratio),
    weight_decay: training.weight_decay,
    max_grad_norm: training.max_grad_norm,
    ...(training.label_smoothing_factor > 0 ? { label_smoothing_factor: training.label_smoothing_factor } : {}),
    ...(training.neftune_noise_alpha > 0 ? { neftune_noise_alpha: training.neftune_noise_alpha } : {}),
    // auto depends on a browser's memory.
    gradient_checkpointing: training.gradient_checkpointing === true,
    seed: training.seed,
    bf16: false,
    logging_steps: 1,
    ...(evaluates && training.eval_steps > 0
      ? { eval_strategy: 'steps', eval_steps: training.eval_steps }
      : { eval_strategy: 'no' }),
    ...(training.save_steps > 0
      ? { save_strategy: 'steps', save_steps: training.save_steps, save_total_limit: 2 }
      : { save_strategy: 'no' }),
    report_to: 'none',
    remove_unused_columns: false,
  };
}
