/** Which trainer a config is for, by its keys. */
import { TabtuneError } from '../../../base/errors';
import type { Config, TrainerId } from '../types';

/** Keys that no other trainer has. */
const OWN_KEYS: Record<TrainerId, readonly string[]> = {
  peft: ['peft_type'],
  axolotl: [
    ...['base_model', 'sequence_len', 'micro_batch_size', 'num_epochs', 'val_set_size', 'sample_packing', 'adapter'],
    ...['train_on_inputs', 'dataset_prepared_path', 'lora_target_linear', 'lr_scheduler', 'optimizer', 'rl'],
    ...['pretraining_dataset', 'test_datasets', 'evals_per_epoch', 'saves_per_epoch', 'lora_model_dir'],
  ],
  llamafactory: [
    ...['stage', 'finetuning_type', 'cutoff_len', 'lora_rank', 'lora_target', 'template', 'dataset_dir'],
    ...['quantization_bit', 'pref_beta', 'pref_loss', 'val_size', 'adapter_name_or_path', 'train_on_prompt'],
    ...['neat_packing', 'pissa_init', 'additional_target', 'plot_loss'],
  ],
  trl: [
    ...['per_device_train_batch_size', 'gradient_accumulation_steps', 'num_train_epochs', 'max_steps'],
    ...['lr_scheduler_type', 'warmup_ratio', 'warmup_steps', 'optim', 'learning_rate', 'dataset_name', 'use_peft'],
    ...['model_name_or_path', 'max_length', 'max_seq_length', 'dataset_mixer', 'dataset_mixture', 'lora_r'],
    ...['num_generations', 'max_completion_length', 'weight_decay', 'max_grad_norm'],
  ],
};

/** Other files that people keep beside configs, by a key of theirs. */
const OTHERS: readonly (readonly [string, string])[] = [
  ['compute_environment', 'an Accelerate config: it says on which machines to train, and not how'],
  ['distributed_type', 'an Accelerate config: it says on which machines to train, and not how'],
  ['zero_optimization', 'a DeepSpeed config: it says how machines share the work, and not how to train'],
  ['log_history', 'the state of a trainer: it holds figures, and not settings'],
  ['hidden_size', 'a model’s config.json'],
  ['architectures', 'a model’s config.json'],
  ['added_tokens_decoder', 'a tokeniser’s config'],
];

/** Null if it is none that Tabtune knows. */
export function trainerOf(config: Config): TrainerId | null {
  const count = (trainer: TrainerId) => OWN_KEYS[trainer].filter((key) => Object.hasOwn(config, key)).length;
  if (count('peft') > 0) return 'peft';
  if (OTHERS.some(([key]) => Object.hasOwn(config, key))) return null;
  const [axolotl, llamafactory, trl] = [count('axolotl'), count('llamafactory'), count('trl')];
  // LLaMA-Factory shares its training arguments with TRL, so its own keys decide.
  if (llamafactory >= 2 && llamafactory >= axolotl) return 'llamafactory';
  if (axolotl >= 2) return 'axolotl';
  return trl >= 2 ? 'trl' : null;
}

export function notAConfig(config: Config): TabtuneError {
  const other = OTHERS.find(([key]) => Object.hasOwn(config, key));
  return new TabtuneError({
    code: 'bad_recipe',
    message: other
      ? `This is ${other[1]}.`
      : 'These are not the settings of a trainer that Tabtune knows: it reads those of Axolotl, LLaMA-Factory, TRL and PEFT.',
    action: 'Choose the YAML or JSON file that the training was started with.',
    details: `Keys: ${Object.keys(config).slice(0, 30).join(', ')}`,
  });
}
