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

/** What every method but those that open base weights may continue from, and what it trains beside its own tensors. */
interface Adapter {
  /** A PEFT or AdapterHub folder to continue from (`file:PATH`), or null to start anew. */
  init_adapter: string | null;
}

export interface LoraMethod extends Adapter {
  type: 'lora';
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  /** 'all-linear', or module name suffixes such as ['q_proj','v_proj']. */
  target_modules: 'all-linear' | string[];
  use_rslora: boolean;
  use_dora: boolean;
  /** `default`: B = 0. `pissa`: A and B from the weight's largest singular values, which leave the base (Meng et al., 2024). */
  init_lora_weights: 'default' | 'gaussian' | 'pissa';
  /** Other ranks for some modules: {'layers.0.self_attn.q_proj': 32}; keys as PEFT matches them. */
  rank_pattern: Record<string, number>;
  alpha_pattern: Record<string, number>;
  /** LoRA+ (Hayou et al., 2024): how many times faster B learns than A; 1 switches it off. */
  loraplus_lr_ratio: number;
  /** Modules that are trained whole beside the adapter, such as ['lm_head']. */
  modules_to_save: string[];
}

/** (IA)³ (Liu et al., 2022): learned factors of activations. `auto`: the modules that PEFT takes for the family. */
export interface Ia3Method extends Adapter {
  type: 'ia3';
  target_modules: 'auto' | string[];
  /** Those of target_modules whose input is scaled instead of their output. */
  feedforward_modules: 'auto' | string[];
  modules_to_save: string[];
}

/** Bottleneck adapters: two a layer (Houlsby et al., 2019) or one (Pfeiffer et al., 2020). */
export interface BottleneckMethod extends Adapter {
  type: 'bottleneck';
  /** AdapterHub's names of the two: `double_seq_bn` and `seq_bn`. */
  config: 'double_seq_bn' | 'seq_bn';
  /** Width of the model over width of the bottleneck. */
  reduction_factor: number;
  non_linearity: 'relu' | 'gelu' | 'swish' | 'tanh';
}

/** Prefix tuning (Li and Liang, 2021): learned keys and values before every text, in every layer. */
export interface PrefixMethod extends Adapter {
  type: 'prefix_tuning';
  num_virtual_tokens: number;
  /** Train a small network that makes the prefix instead of the prefix itself. */
  prefix_projection: boolean;
  /** Width of that network; null is the model's. */
  encoder_hidden_size: number | null;
  /** A text whose keys and values the prefix begins as; empty begins at random. Not with prefix_projection. */
  prefix_tuning_init_text: string;
}

/** Prompt tuning (Lester et al., 2021): learned embeddings before every text. */
export interface PromptMethod extends Adapter {
  type: 'prompt_tuning';
  num_virtual_tokens: number;
  prompt_tuning_init: 'RANDOM' | 'SAMPLE_VOCAB' | 'TEXT';
  prompt_tuning_init_text: string;
}

/** P-tuning (Liu et al., 2021): prompt tuning whose embeddings come out of a small network (PEFT's MLP). */
export interface PTuningMethod extends Adapter {
  type: 'p_tuning';
  num_virtual_tokens: number;
  /** Width of the network; null is the model's. */
  encoder_hidden_size: number | null;
}

/** Every weight of the model is trained. */
export interface FullMethod {
  type: 'full';
}

/** Feature extraction: the model is frozen, and only the head of the objective is trained. */
export interface HeadMethod {
  type: 'head';
}

/** ULMFiT (Howard and Ruder, 2018): the head first, then a block more from the top every 1/(L+1) of the run. */
export interface GradualMethod {
  type: 'gradual_unfreezing';
  /** Each lower block learns at the rate of the one above divided by this. */
  layer_lr_divisor: number;
}

export type MethodSection =
  | LoraMethod
  | Ia3Method
  | BottleneckMethod
  | PrefixMethod
  | PromptMethod
  | PTuningMethod
  | FullMethod
  | HeadMethod
  | GradualMethod;
export type MethodType = MethodSection['type'];

export interface SftObjective {
  type: 'sft';
  /** Loss on the answers only (end token included), not on prompts. */
  assistant_only_loss: boolean;
}

/** Continued pretraining: the next token of plain text. */
export interface PretrainingObjective {
  type: 'pretraining';
}

/** One vector of scores a text, through a new head; how many comes from the data. */
export interface ClassificationObjective {
  type: 'sequence_classification';
  /** transformers' names. `auto`: several labels a row mean multi_label, fractions mean regression. */
  problem_type: 'auto' | 'single_label_classification' | 'multi_label_classification' | 'regression';
}

/** A label for every word, in BIO or plain tags. */
export interface TokenClassificationObjective {
  type: 'token_classification';
}

/** BERT's: some tokens are hidden, and the model says what they were. */
export interface MaskedLmObjective {
  type: 'masked_lm';
  mlm_probability: number;
}

export type ObjectiveSection =
  | SftObjective
  | PretrainingObjective
  | ClassificationObjective
  | TokenClassificationObjective
  | MaskedLmObjective;
export type ObjectiveType = ObjectiveSection['type'];

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
