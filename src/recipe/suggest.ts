/** "Did you mean …?" for names in a recipe. */

/** Other trainers' names for our fields, and short forms that people type. */
export const otherNames: Record<string, string> = {
  activation: 'method.non_linearity',
  activation_checkpointing: 'training.gradient_checkpointing',
  adapter: 'method.type',
  adapter_reduction_factor: 'method.reduction_factor',
  alpha: 'method.lora_alpha',
  average_decay: 'training.ema_decay',
  batch_size: 'training.per_device_train_batch_size',
  beta1: 'training.adam_beta1',
  beta2: 'training.adam_beta2',
  clip: 'training.max_grad_norm',
  cut_frac: 'training.lr_cut_frac',
  cycles: 'training.lr_num_cycles',
  dora: 'method.use_dora',
  dropout: 'method.lora_dropout',
  ema: 'training.ema_decay',
  epochs: 'training.num_train_epochs',
  eps: 'training.adam_epsilon',
  ewc: 'training.ewc_lambda',
  finetuning_type: 'method.type',
  init: 'method.init_lora_weights',
  l2_sp: 'training.l2_sp_alpha',
  l2sp: 'training.l2_sp_alpha',
  label_smoothing: 'training.label_smoothing_factor',
  lora_modules_to_save: 'method.modules_to_save',
  lora_plus_ratio: 'method.loraplus_lr_ratio',
  lora_r: 'method.r',
  lora_rank: 'method.r',
  lora_target: 'method.target_modules',
  lora_target_modules: 'method.target_modules',
  loraplus: 'method.loraplus_lr_ratio',
  lr: 'training.learning_rate',
  lr_scheduler: 'training.lr_scheduler_type',
  max_seq_len: 'dataset.max_length',
  max_seq_length: 'dataset.max_length',
  mh_adapter: 'method.config',
  micro_batch_size: 'training.per_device_train_batch_size',
  mlm_prob: 'objective.mlm_probability',
  model_name_or_path: 'model.source',
  momentum: 'training.sgd_momentum',
  neftune: 'training.neftune_noise_alpha',
  noise_alpha: 'training.neftune_noise_alpha',
  num_cycles: 'training.lr_num_cycles',
  num_epochs: 'training.num_train_epochs',
  num_tokens: 'method.num_virtual_tokens',
  optimizer: 'training.optim',
  path: 'source',
  peft_type: 'method.type',
  pissa: 'method.init_lora_weights',
  power: 'training.lr_power',
  pre_seq_len: 'method.num_virtual_tokens',
  prefix_length: 'method.num_virtual_tokens',
  prompt_length: 'method.num_virtual_tokens',
  rank: 'method.r',
  replay: 'training.replay_ratio',
  rslora: 'method.use_rslora',
  sample_packing: 'dataset.packing',
  scheduler: 'training.lr_scheduler_type',
  sequence_len: 'dataset.max_length',
  stage: 'objective.type',
  task: 'objective.type',
  task_type: 'objective.type',
  train_on_inputs: 'objective.assistant_only_loss',
  val_set_size: 'dataset.validation_split',
  warmup_steps: 'training.warmup_ratio',
};

/** Number of letters to insert, delete, replace or swap with a neighbour (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** The nearest of `names`, if close enough to be what was meant. */
export function suggest(name: string, names: readonly string[]): string | undefined {
  // No field name is this long, so it is not a typo; and the distance table would grow quadratically.
  if (name.length > 64) return undefined;
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '');
  const asked = plain(name);
  let best: { name: string; distance: number } | undefined;
  for (const candidate of names) {
    const known = plain(candidate);
    // adamw_torch means adamw, train_batch_size means per_device_train_batch_size.
    const contained = Math.min(asked.length, known.length) >= 4 && (asked.includes(known) || known.includes(asked));
    const distance = contained ? 1 : editDistance(asked, known);
    if (distance <= Math.max(1, Math.floor(known.length / 4)) && distance < (best?.distance ?? Infinity)) {
      best = { name: candidate, distance };
    }
  }
  return best?.name;
}

const joined = (names: readonly string[], word: string) =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)}`;

/** "a, b or c"; a single name as it is. */
export const alternatives = (names: readonly string[]): string => joined(names, 'or');

/** "a, b and c" */
export const list = (names: readonly string[]): string => joined(names, 'and');
