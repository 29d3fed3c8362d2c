/** "Did you mean …?" for names in a recipe. */

/** What other trainers and hurried people call our fields. */
export const otherNames: Record<string, string> = {
  adapter: 'method.type',
  alpha: 'method.lora_alpha',
  batch_size: 'training.per_device_train_batch_size',
  activation_checkpointing: 'training.gradient_checkpointing',
  beta1: 'training.adam_beta1',
  beta2: 'training.adam_beta2',
  clip: 'training.max_grad_norm',
  dropout: 'method.lora_dropout',
  epochs: 'training.num_train_epochs',
  eps: 'training.adam_epsilon',
  lora_r: 'method.r',
  lora_rank: 'method.r',
  lr: 'training.learning_rate',
  lr_scheduler: 'training.lr_scheduler_type',
  max_seq_len: 'dataset.max_length',
  max_seq_length: 'dataset.max_length',
  micro_batch_size: 'training.per_device_train_batch_size',
  model_name_or_path: 'model.source',
  num_epochs: 'training.num_train_epochs',
  optimizer: 'training.optim',
  path: 'source',
  rank: 'method.r',
  sample_packing: 'dataset.packing',
  scheduler: 'training.lr_scheduler_type',
  sequence_len: 'dataset.max_length',
  train_on_inputs: 'objective.assistant_only_loss',
  val_set_size: 'dataset.validation_split',
  warmup_steps: 'training.warmup_ratio',
};

/** Letters to insert, delete, replace or swap with a neighbour (optimal string alignment). */
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

/** The nearest of `names`, if it is near enough to have been meant. */
export function suggest(name: string, names: readonly string[]): string | undefined {
  // Long enough for any field's name; what is longer is no slip of the hand, and the table would grow with its square.
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

/** "a, b or c"; one alone is itself. */
export function alternatives(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
