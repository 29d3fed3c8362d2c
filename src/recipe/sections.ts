/** The sections that all recipes share, whatever the method and objective: model, dataset and training. */

import type { PersonalKind } from '../base/personal-kinds';

export type DatasetFormat =
  | 'auto'
  | 'messages' // {messages:[{role,content}]}
  | 'sharegpt' // {conversations:[{from,value}]}
  | 'alpaca' // {instruction,input,output}
  | 'prompt_completion' // {prompt,completion}
  | 'labelled' // {text,label}: one class, several (a list) or a number; sft trains it as prompt -> label
  | 'tagged' // {tokens,tags}: a label for every word
  | 'preference' // {prompt,chosen,rejected}: two answers, of which one is better; the prompt may be what both begin with
  | 'unpaired_preference' // {prompt,completion,label}: an answer that is good or bad
  | 'prompt_only' // {prompt} and further columns that rewards look at
  | 'text'; // {text} or a plain text file

/** What becomes of validation examples whose text or prompt is trained on as well. */
export type ValidationLeaks = 'allow' | 'one_side' | 'leave_out';

export interface ModelSection {
  /** `builtin:NAME`, `hf:ORG/NAME[@REV]` or `file:PATH`. */
  source: string;
  quantization: 'none' | 'nf4' | 'q8';
}

/** What becomes of a system message that a model's chat template has no place for. */
export type SystemFallback = 'first_question' | 'leave_out' | 'leave_out_row';

/** What to do with prompts and answers that are in a chat template already. */
export type TemplatedText = 'ask' | 'as_is' | 'strip' | 'text';

export interface DatasetSection {
  /** `builtin:NAME` or `file:PATH`. */
  source: string;
  format: DatasetFormat;
  /** Columns mapped by hand, e.g. {prompt: 'question', completion: 'answer'}; null detects them. */
  columns: Record<string, string> | null;
  /** Labels that differ only in case or spaces are one. */
  merge_labels: boolean;
  /** The encoding of the file's text, if it is not detected: a key of base/encodings.ts. */
  encoding: string;
  /**
   * Which table of the file, if it has several: a list of a JSON file, a sheet of a workbook, a file of an archive; `*` is all
   * of them. Null reads the only one, or asks.
   */
  table: string | null;
  /** Kinds of personal data that placeholders stand for. */
  replace_personal: PersonalKind[];
  /** Kinds of personal data whose rows are left out. */
  drop_personal: PersonalKind[];
  /** Whether rows that are nearly the same as an earlier one are left out. */
  near_duplicates: 'keep' | 'leave_out';
  validation_leaks: ValidationLeaks;
  /** Rows that are left out, `3,7-9,120`; null is none. */
  leave_out_rows: string | null;
  /** Train on so many of the examples, drawn with training.seed; null is all of them. */
  max_samples: number | null;
  /**
   * Other datasets to train on as well, with their weights: each epoch has weight × the training examples of each, so 2 trains
   * on each of them twice and 0.5 on a sample of half. `source` itself may be named; otherwise its weight is 1.
   */
  mix: Record<string, number>;
  /** Fraction of the examples held out, 0 ≤ x < 1. */
  validation_split: number;
  shuffle: boolean;
  /** Maximum tokens per example; 'auto' is the longest one, as far as the model's context and the memory forecast reach. */
  max_length: number | 'auto';
  packing: boolean;
  system_fallback: SystemFallback;
  templated_text: TemplatedText;
  /**
   * Text like the base model's training data (`builtin:NAME` or `file:PATH`), for replay, EWC and the forgetting metric;
   * null uses the built-in model's own.
   */
  base_text: string | null;
}

/** The fields of a dataset that decide how its file is read; a change of the others needs no reading. */
export const readingFields = [
  'format',
  'columns',
  'encoding',
  'table',
  'merge_labels',
  'replace_personal',
  'drop_personal',
  'near_duplicates',
  'leave_out_rows',
  'mix',
] as const satisfies readonly (keyof DatasetSection)[];
/** A field that is left out has its default, which changes nothing in how a file is read. */
export type ReadingSection = Pick<DatasetSection, 'format' | 'columns'> &
  Partial<Pick<DatasetSection, (typeof readingFields)[number]>>;

/** The fields that are chosen for one file: what to do with the marks of a template is said about it too, and how much of it is used. */
export const fieldsAboutTheFile: readonly string[] = [...readingFields, 'templated_text', 'max_samples'];

/** Changes of a recipe that leave the reading of its file to detection. */
export const readAsDetected: Record<string, undefined> = Object.fromEntries(
  fieldsAboutTheFile.map((name) => [`dataset.${name}`, undefined]),
);

/** The datasets of a section in order, with their weights; the first is `source`. */
export function mixOf({ source, mix = {} }: Pick<DatasetSection, 'source'> & Partial<Pick<DatasetSection, 'mix'>>): {
  source: string;
  weight: number;
}[] {
  const others = Object.entries(mix).filter(([other]) => other !== source);
  return [{ source, weight: mix[source] ?? 1 }, ...others.map(([other, weight]) => ({ source: other, weight }))];
}

export function readingOf<S extends Partial<ReadingSection>>(section: S): Pick<S, keyof S & keyof ReadingSection> {
  const fields = readingFields.filter((name) => name in section).map((name) => [name, section[name]]);
  return Object.fromEntries(fields) as Pick<S, keyof S & keyof ReadingSection>;
}

export type LrSchedulerType =
  | 'constant'
  | 'constant_with_warmup'
  | 'linear'
  | 'cosine'
  | 'cosine_with_restarts'
  | 'polynomial'
  | 'inverse_sqrt'
  | 'warmup_stable_decay'
  | 'slanted_triangular';

export type OptimizerName = 'adamw' | 'adamw_8bit' | 'adam' | 'sgd' | 'lion' | 'adafactor';

export interface TrainingSection {
  learning_rate: number;
  lr_scheduler_type: LrSchedulerType;
  warmup_ratio: number;
  /** cosine_with_restarts: number of cosine cycles. */
  lr_num_cycles: number;
  /** polynomial: exponent. */
  lr_power: number;
  /** polynomial: final rate as a fraction of learning_rate. */
  lr_end_ratio: number;
  /** warmup_stable_decay: fraction of the steps, at the end, over which the rate decays. */
  lr_decay_ratio: number;
  /** slanted_triangular: fraction of the steps over which the rate rises (ULMFiT's cut_frac). */
  lr_cut_frac: number;
  /** slanted_triangular: highest rate divided by the lowest. */
  lr_ratio: number;
  num_train_epochs: number;
  /** -1: num_train_epochs decides. */
  max_steps: number;
  per_device_train_batch_size: number;
  gradient_accumulation_steps: number;
  /** Recompute blocks in the backward pass instead of storing activations; 'auto' does so if the run would not fit otherwise. */
  gradient_checkpointing: boolean | 'auto';
  /** Round the inputs of large products to f16 where that changes a first batch by no more than engine/run/half.ts allows. */
  fp16: boolean;
  optim: OptimizerName;
  adam_beta1: number;
  adam_beta2: number;
  adam_epsilon: number;
  /** SGD only. */
  sgd_momentum: number;
  /** Decoupled from the gradient; biases and norms are exempt, as in transformers' Trainer. */
  weight_decay: number;
  /** 0 switches clipping off. */
  max_grad_norm: number;
  /** Optimiser steps between evaluations; 0 evaluates only before and after. */
  eval_steps: number;
  save_steps: number;
  /** Evaluations without improvement before stopping; 0 switches early stopping off. */
  early_stopping_patience: number;
  /** Apply the model's own dropout (config.json) during training. */
  model_dropout: boolean;
  /** Fraction of each target that is spread over all classes or tokens. */
  label_smoothing_factor: number;
  /** NEFTune (Jain et al., 2023): scale of the noise on the embeddings; 0 is off. */
  neftune_noise_alpha: number;
  /** EWC (Kirkpatrick et al., 2017): penalty on moving weights from the base, by their importance for base_text; 0 is off. */
  ewc_lambda: number;
  /** L2-SP (Li et al., 2018): penalty on moving weights from the base, the same for all; 0 is off. */
  l2_sp_alpha: number;
  /** Fraction of each batch's examples replaced by pieces of base_text; 0 is off. */
  replay_ratio: number;
  /** Moving average of the weights, which is evaluated and kept at the end; 0 is off, 0.999 is slow. */
  ema_decay: number;
  seed: number;
}
