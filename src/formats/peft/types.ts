/**
 * An adapter as PEFT keeps it (huggingface/peft 0.21): its kind, the fields of its config that mean something, and its
 * tensors by the names that methods give them, which are the file's without the prefix. Those of modules_to_save go by the
 * checkpoint's names.
 */

/** What PEFT calls the objective; null stands for those that it has no name for (masked language models). */
export type PeftTask = 'CAUSAL_LM' | 'SEQ_CLS' | 'TOKEN_CLS' | 'FEATURE_EXTRACTION' | null;

interface CommonConfig {
  base_model_name_or_path: string | null;
  task_type: PeftTask;
  /** Where there is no task type: the model's class, so that PEFT's AutoPeftModel finds it. */
  auto_mapping?: { base_model_class: string; parent_library: string } | null;
  /** Modules that are trained whole: `lm_head`; with a head of classes PEFT's own ["classifier", "score"]. */
  modules_to_save: string[] | null;
}

export interface PeftLoraConfig extends CommonConfig {
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  target_modules: string[];
  use_rslora: boolean;
  use_dora: boolean;
  rank_pattern: Record<string, number>;
  alpha_pattern: Record<string, number>;
  /** The targets are Conv1D modules, stored [in, out]. */
  fan_in_fan_out: boolean;
}

export interface PeftIa3Config extends CommonConfig {
  target_modules: string[];
  feedforward_modules: string[];
  fan_in_fan_out: boolean;
}

/** What PEFT's prompt learning has in common. */
interface PromptConfig extends CommonConfig {
  num_virtual_tokens: number;
  /** Width of a virtual token; with a prefix that of a layer's keys. */
  token_dim: number;
  /** 1 for the models here; an encoder with a decoder would have 2. */
  num_transformer_submodules: number;
  num_attention_heads: number;
  num_layers: number;
}

export interface PeftPromptTuningConfig extends PromptConfig {
  prompt_tuning_init: 'RANDOM' | 'SAMPLE_VOCAB' | 'TEXT';
  prompt_tuning_init_text: string | null;
  /** PEFT wants it with TEXT. */
  tokenizer_name_or_path: string | null;
}

export interface PeftPrefixTuningConfig extends PromptConfig {
  encoder_hidden_size: number;
  prefix_projection: boolean;
}

export interface PeftPTuningConfig extends PromptConfig {
  encoder_reparameterization_type: 'MLP' | 'LSTM';
  encoder_hidden_size: number;
  encoder_num_layers: number;
  encoder_dropout: number;
}

/** Row-major float32 by name. */
export type PeftTensors = Map<string, { shape: number[]; data: Float32Array }>;

/**
 * Tensors of the kinds:
 *   LORA           `<path>.lora_A.weight` [r, in], `<path>.lora_B.weight` [out, r], with DoRA `<path>.lora_magnitude_vector` [out]
 *   IA3            `<path>.ia3_l` [out, 1], or [1, in] for feedforward_modules
 *   PROMPT_TUNING  `prompt_embeddings` [num_virtual_tokens, token_dim]; P_TUNING the same
 *   PREFIX_TUNING  `prompt_embeddings` [num_virtual_tokens, num_layers · 2 · token_dim]
 */
export type PeftAdapter =
  | { type: 'LORA'; config: PeftLoraConfig; tensors: PeftTensors }
  | { type: 'IA3'; config: PeftIa3Config; tensors: PeftTensors }
  | { type: 'PROMPT_TUNING'; config: PeftPromptTuningConfig; tensors: PeftTensors }
  | { type: 'PREFIX_TUNING'; config: PeftPrefixTuningConfig; tensors: PeftTensors }
  | { type: 'P_TUNING'; config: PeftPTuningConfig; tensors: PeftTensors };

export type PeftType = PeftAdapter['type'];
