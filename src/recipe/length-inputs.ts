/** What decides how long an example may be where `max_length` is automatic: all that changes how much memory a run takes. */
import type { Recipe, TrainingSection } from './types';

const TRAINING = [
  'per_device_train_batch_size',
  'gradient_accumulation_steps',
  'gradient_checkpointing',
  'optim',
  'ema_decay',
  'model_dropout',
  'ewc_lambda',
  'l2_sp_alpha',
  'neftune_noise_alpha',
  'replay_ratio',
  // Which examples share a batch.
  'num_train_epochs',
  'max_steps',
  'seed',
] as const satisfies readonly (keyof TrainingSection)[];

/** Equal values mean the same limit. Rates and schedules are left out, since changing them must not tokenise again. */
export const lengthInputs = ({ model, dataset, method, objective, training }: Recipe): unknown => [
  model,
  dataset,
  method,
  objective,
  TRAINING.map((name) => training[name]),
];
