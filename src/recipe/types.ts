/**
 * The recipe: everything a person sets, as one JSON document. Field names are the ecosystem's own (PEFT's LoraConfig,
 * TRL's and transformers' TrainingArguments). `Recipe` is the resolved form, every default filled in; `RecipeInput` is
 * what a file, a link or the screen may hold.
 */
export type DatasetFormat =
  | 'auto'
  | 'messages' // {messages:[{role,content}]}
  | 'sharegpt' // {conversations:[{from,value}]}
  | 'alpaca' // {instruction,input,output}
  | 'prompt_completion' // {prompt,completion}
  | 'labelled' // {text,label}: trained as prompt -> label
  | 'text'; // {text} or a plain text file

export interface ModelSection {
  /** `builtin:NAME`, `hf:ORG/NAME[@REV]` or `file:PATH`. */
  source: string;
  quantization: 'none' | 'nf4' | 'q8';
}

export interface DatasetSection {
  /** `builtin:NAME`, `hf:ORG/NAME` or `file:PATH`. */
  source: string;
  format: DatasetFormat;
  /** Columns mapped by hand, e.g. {prompt: 'question', completion: 'answer'}; null lets detection decide. */
  columns: Record<string, string> | null;
  /** Share of examples held out, 0 ≤ x < 1. */
  validation_split: number;
  shuffle: boolean;
  /** Tokens an example may have; 'auto' is the 95th percentile of the data, at most 1024 and the model's context. */
  max_length: number | 'auto';
  packing: boolean;
}

export interface LoraMethod {
  type: 'lora';
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  /** 'all-linear', or module name suffixes such as ['q_proj','v_proj']. */
  target_modules: 'all-linear' | string[];
  use_rslora: boolean;
  use_dora: boolean;
  /** A PEFT folder to continue from (`file:PATH`), or null to start anew. */
  init_adapter: string | null;
}
export type MethodSection = LoraMethod;

export interface SftObjective {
  type: 'sft';
  /** Loss on the answers only (end token included), not on prompts. */
  assistant_only_loss: boolean;
}
export type ObjectiveSection = SftObjective;

export type LrSchedulerType = 'constant' | 'constant_with_warmup' | 'linear' | 'cosine';

export interface TrainingSection {
  learning_rate: number;
  lr_scheduler_type: LrSchedulerType;
  warmup_ratio: number;
  num_train_epochs: number;
  /** -1: given by num_train_epochs. */
  max_steps: number;
  per_device_train_batch_size: number;
  gradient_accumulation_steps: number;
  /** Blocks are computed again in the backward pass instead of kept; 'auto' does so where the run would not fit without. */
  gradient_checkpointing: boolean | 'auto';
  optim: 'adamw';
  adam_beta1: number;
  adam_beta2: number;
  adam_epsilon: number;
  weight_decay: number;
  /** 0 switches clipping off. */
  max_grad_norm: number;
  /** Optimiser steps between evaluations; 0 evaluates only before and after. */
  eval_steps: number;
  save_steps: number;
  /** Evaluations without improvement before stopping; 0 switches early stopping off. */
  early_stopping_patience: number;
  seed: number;
}

export interface Recipe {
  version: 1;
  name: string;
  model: ModelSection;
  dataset: DatasetSection;
  method: MethodSection;
  objective: ObjectiveSection;
  training: TrainingSection;
}

type PartialSection<T> = T extends { type: infer K } ? { type: K } & Partial<Omit<T, 'type'>> : Partial<T>;

export interface RecipeInput {
  version: 1;
  name?: string;
  model?: PartialSection<ModelSection>;
  dataset?: PartialSection<DatasetSection>;
  method?: PartialSection<MethodSection>;
  objective?: PartialSection<ObjectiveSection>;
  training?: PartialSection<TrainingSection>;
}
