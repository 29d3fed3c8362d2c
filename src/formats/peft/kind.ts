/**
 * An adapter as PEFT stores it (huggingface/peft 0.21): its kind, the meaningful fields of its config, and its tensors by the
 * methods' names for them, which are the file's without the prefix. Tensors of modules_to_save have the checkpoint's names.
 *
 * A kind is one `peft_type`: its config fields and the tensors that follow from them. The reader and the writer receive the kinds
 * as arguments and know none of them; src/methods lists them.
 */
import type { AdapterTensors } from '../adapter-format';
import type { Json } from './fields';

/** PEFT's name of the objective; null for those that PEFT does not name (masked language modelling). */
export type PeftTask = 'CAUSAL_LM' | 'SEQ_CLS' | 'TOKEN_CLS' | 'FEATURE_EXTRACTION' | null;

export interface CommonConfig {
  base_model_name_or_path: string | null;
  task_type: PeftTask;
  /** The model's class, set if there is no task type so that PEFT's AutoPeftModel finds it. */
  auto_mapping?: { base_model_class: string; parent_library: string } | null;
  /** Modules that are trained in full: `lm_head`; with a classification head, PEFT's own ["classifier", "score"]. */
  modules_to_save: string[] | null;
}

/** Row-major float32 by name. */
export type PeftTensors = AdapterTensors;

/** All tensors of the file, and those that are not of modules_to_save. */
export interface SplitTensors {
  all: PeftTensors;
  own: PeftTensors;
}

export interface PeftKind<C extends CommonConfig> {
  /** `peft_type`. */
  type: string;
  /** Prompt learning: one level of wrapping fewer, and `prompt_embeddings` without a prefix. */
  prompt?: true;
  /** Checks the kind's fields and tensors. `tensors` are read on demand, so that errors in the config are reported first. */
  read(config: Json, common: CommonConfig, tensors: () => SplitTensors): C;
  /** What a tensor of the kind's own says about the linear layer that it belongs to; left out where it belongs to none. */
  onLinear?(name: string, shape: readonly number[]): { path: string; out?: number; width?: number };
  /** The fields of adapter_config.json besides the common ones. Fields with a default in PEFT may be omitted. */
  fields(config: C): Record<string, unknown>;
}

/** Any kind. It is typed to take any config, but must only be given its own. */
// biome-ignore lint/suspicious/noExplicitAny: configs of different kinds share only CommonConfig.
export type AnyPeftKind = PeftKind<any>;

export interface PeftAdapter<C extends CommonConfig = CommonConfig> {
  type: string;
  config: C;
  tensors: PeftTensors;
}
