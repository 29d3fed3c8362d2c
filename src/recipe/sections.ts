/** The sections of a recipe that every method and objective shares: model, dataset and training. */

export type DatasetFormat =
  | 'auto'
  | 'messages' // {messages:[{role,content}]}
  | 'sharegpt' // {conversations:[{from,value}]}
  | 'alpaca' // {instruction,input,output}
  | 'prompt_completion' // {prompt,completion}
  | 'labelled' // {text,label}: a class, several (a list) or a number; with sft trained as prompt -> label
  | 'tagged' // {tokens,tags}: a label for every word
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
  /**
   * Text of the kind that the base was trained on (`builtin:NAME` or `file:PATH`), for replay, EWC and the measure of
   * forgetting; null takes the one that comes with the built-in model.
   */
  base_text: string | null;
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
  /** cosine_with_restarts: waves in the run. */
  lr_num_cycles: number;
  /** polynomial: the exponent. */
  lr_power: number;
  /** polynomial: the rate at the end, as a share of learning_rate. */
  lr_end_ratio: number;
  /** warmup_stable_decay: share of the steps over which the rate falls in the end. */
  lr_decay_ratio: number;
  /** slanted_triangular: share of the steps over which the rate rises (ULMFiT's cut_frac). */
  lr_cut_frac: number;
  /** slanted_triangular: how much smaller the lowest rate is than the highest. */
  lr_ratio: number;
  num_train_epochs: number;
  /** -1: given by num_train_epochs. */
  max_steps: number;
  per_device_train_batch_size: number;
  gradient_accumulation_steps: number;
  /** Blocks are computed again in the backward pass instead of kept; 'auto' does so where the run would not fit without. */
  gradient_checkpointing: boolean | 'auto';
  optim: OptimizerName;
  adam_beta1: number;
  adam_beta2: number;
  adam_epsilon: number;
  /** SGD's. */
  sgd_momentum: number;
  /** Decoupled from the gradient; biases and norms are left out, as transformers' Trainer does. */
  weight_decay: number;
  /** 0 switches clipping off. */
  max_grad_norm: number;
  /** Optimiser steps between evaluations; 0 evaluates only before and after. */
  eval_steps: number;
  save_steps: number;
  /** Evaluations without improvement before stopping; 0 switches early stopping off. */
  early_stopping_patience: number;
  /** The model's own dropout (config.json) while training. */
  model_dropout: boolean;
  /** Share of the target that is spread over all classes or tokens. */
  label_smoothing_factor: number;
  /** NEFTune (Jain et al., 2023): size of the noise on the embeddings; 0 is off. */
  neftune_noise_alpha: number;
  /** EWC (Kirkpatrick et al., 2017): pull of each weight towards the base by how much base_text needs it; 0 is off. */
  ewc_lambda: number;
  /** L2-SP (Li et al., 2018): pull of all weights towards the base alike; 0 is off. */
  l2_sp_alpha: number;
  /** Share of the examples of a batch that are replaced by pieces of base_text; 0 is off. */
  replay_ratio: number;
  /** Moving average of the weights, which is evaluated and kept in the end; 0 is off, 0.999 is slow. */
  ema_decay: number;
  seed: number;
}
