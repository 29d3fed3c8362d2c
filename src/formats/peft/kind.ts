/**
 * An adapter as PEFT keeps it (huggingface/peft 0.21): its kind, the meaningful fields of its config, and its tensors by the
 * names that methods give them, which are the file's without the prefix. Tensors of modules_to_save have the checkpoint's names.
 *
 * A kind is one `peft_type`: what its config may hold and which tensors follow. Kinds are given to the reader and the writer,
 * which know none of them (src/methods lists them).
 */
import type { AdapterTensors } from '../adapter-format';
import type { Json } from './fields';

/** PEFT's name of the objective; null for those that it has no name for (masked language models). */
export type PeftTask = 'CAUSAL_LM' | 'SEQ_CLS' | 'TOKEN_CLS' | 'FEATURE_EXTRACTION' | null;

export interface CommonConfig {
  base_model_name_or_path: string | null;
  task_type: PeftTask;
  /** Without a task type: the model's class, so that PEFT's AutoPeftModel finds it. */
  auto_mapping?: { base_model_class: string; parent_library: string } | null;
  /** Modules that are trained whole: `lm_head`; with a head for labels PEFT's own ["classifier", "score"]. */
  modules_to_save: string[] | null;
}

/** Row-major float32 by name. */
export type PeftTensors = AdapterTensors;

/** All tensors of the file, and those that do not belong to modules_to_save. */
export interface SplitTensors {
  all: PeftTensors;
  own: PeftTensors;
}

export interface PeftKind<C extends CommonConfig> {
  /** `peft_type`. */
  type: string;
  /** Prompt learning: one level less of wrapping, and `prompt_embeddings` without a prefix. */
  prompt?: true;
  /** Checks the fields and tensors of the kind. `tensors` are read when asked for, so that faults of the config come first. */
  read(config: Json, common: CommonConfig, tensors: () => SplitTensors): C;
  /** The fields of adapter_config.json besides the common ones. Fields that PEFT has a default for may be left out. */
  fields(config: C): Record<string, unknown>;
}

/** A kind that is not known: it takes any config, and is only ever given its own. */
// biome-ignore lint/suspicious/noExplicitAny: configs of different kinds have nothing in common but CommonConfig.
export type AnyPeftKind = PeftKind<any>;

export interface PeftAdapter<C extends CommonConfig = CommonConfig> {
  type: string;
  config: C;
  tensors: PeftTensors;
}
