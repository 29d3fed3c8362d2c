/**
 * An adapter from PEFT's files: its kind and features, and every tensor in its place and shape. Throws bad_adapter.
 * Whether it fits a model is for the caller, who has one.
 */
import { countField, fieldPlace, type Json, namesField, numberField, present, stringOrNull, textField } from './fields';
import { ADAPTER_WEIGHTS, type PeftFiles } from './folder';
import { readLora } from './read-lora';
import { EXPORT_AGAIN, OTHER_KINDS, refuse } from './refuse';
import { splitTensors } from './saved';
import { PROMPT_EMBEDDINGS, peftKey, readTensors, tensorPlace } from './tensors';
import type { PeftAdapter, PeftTask, PeftTensors, PeftType } from './types';

const TYPES: readonly string[] = ['LORA', 'IA3', 'PROMPT_TUNING', 'PREFIX_TUNING', 'P_TUNING'] satisfies PeftType[];
const TASKS: readonly unknown[] = ['CAUSAL_LM', 'SEQ_CLS', 'TOKEN_CLS', 'FEATURE_EXTRACTION'];

/** Decodes and checks an adapter. */
export function readPeft(files: PeftFiles): PeftAdapter {
  const { config } = files;
  const type = config.peft_type;
  if (typeof type !== 'string') {
    refuse(fieldPlace('peft_type'), 'The config does not say what kind of adapter this is.', EXPORT_AGAIN);
  }
  if (!TYPES.includes(type)) {
    refuse(fieldPlace('peft_type'), `Adapters of the type ${type.slice(0, 40)} cannot be opened.`, OTHER_KINDS);
  }
  const kind = type as PeftType;
  const saved = savedModules(config);
  const common = {
    base_model_name_or_path: stringOrNull(config, 'base_model_name_or_path'),
    task_type: (TASKS.includes(config.task_type) ? config.task_type : null) as PeftTask,
    auto_mapping: autoMapping(config),
    modules_to_save: saved,
  };
  /** Read late, so that what the config says comes first. */
  const split = () => {
    const all = readTensors(kind, files.weights);
    return { own: splitTensors(all, saved).own, all };
  };

  switch (kind) {
    case 'LORA':
      return readLora(config, common, split);
    case 'IA3': {
      const { own, all } = split();
      const { paths, inputs } = readFactors(own);
      return {
        type: kind,
        config: {
          ...common,
          target_modules: (namesField(config, 'target_modules') ?? paths).sort(),
          feedforward_modules: (namesField(config, 'feedforward_modules') ?? inputs).sort(),
          fan_in_fan_out: config.fan_in_fan_out === true,
        },
        tensors: all,
      };
    }
    default:
      return readPrompt(kind, config, common, split);
  }
}

/** Without repetitions, of which PEFT writes some. */
function savedModules(config: Json): string[] | null {
  if (!present(config, 'modules_to_save')) return null;
  const names = namesField(config, 'modules_to_save');
  if (!names) refuse(fieldPlace('modules_to_save'), 'This is not a list of names of modules.', EXPORT_AGAIN);
  return [...new Set(names)];
}

function autoMapping({ auto_mapping: value }: Json): { base_model_class: string; parent_library: string } | null {
  if (typeof value !== 'object' || value === null) return null;
  const { base_model_class, parent_library } = value as Json;
  if (typeof base_model_class !== 'string' || typeof parent_library !== 'string') return null;
  return { base_model_class, parent_library };
}

/** Paths that have (IA)³'s factors, and those of them whose inputs are scaled. */
function readFactors(tensors: PeftTensors): { paths: string[]; inputs: string[] } {
  const suffix = '.ia3_l';
  const paths: string[] = [];
  const inputs: string[] = [];
  for (const [name, { shape }] of tensors) {
    const where = tensorPlace(peftKey('IA3', name));
    const path = name.slice(0, -suffix.length);
    if (!name.endsWith(suffix) || path === '') {
      refuse(where, 'This tensor is not a factor of (IA)³ on a linear module.', OTHER_KINDS);
    }
    if (shape.length !== 2 || !shape.includes(1)) {
      refuse(where, `Its shape [${shape}] is neither [out, 1] nor [1, in].`, EXPORT_AGAIN);
    }
    paths.push(path);
    if (shape[0] === 1) inputs.push(path);
  }
  if (paths.length === 0) refuse(ADAPTER_WEIGHTS, 'The file holds no factors of (IA)³.', EXPORT_AGAIN);
  return { paths, inputs };
}

type Common = Pick<PeftAdapter['config'], 'base_model_name_or_path' | 'task_type' | 'auto_mapping' | 'modules_to_save'>;

function readPrompt(
  type: 'PROMPT_TUNING' | 'PREFIX_TUNING' | 'P_TUNING',
  config: Json,
  common: Common,
  split: () => { own: PeftTensors; all: PeftTensors },
): PeftAdapter {
  const prompt = {
    ...common,
    num_virtual_tokens: countField(config, 'num_virtual_tokens'),
    token_dim: countField(config, 'token_dim'),
    num_transformer_submodules: countField(config, 'num_transformer_submodules', 1),
    num_attention_heads: countField(config, 'num_attention_heads'),
    num_layers: countField(config, 'num_layers'),
  };
  if (prompt.num_transformer_submodules !== 1) {
    refuse(
      fieldPlace('num_transformer_submodules'),
      'This adapter is for a model with an encoder and a decoder, which cannot be opened.',
      OTHER_KINDS,
    );
  }
  const { own, all } = split();
  const { num_virtual_tokens: tokens, token_dim: width, num_layers: layers } = prompt;
  const wanted = type === 'PREFIX_TUNING' ? [tokens, layers * 2 * width] : [tokens, width];
  const where = tensorPlace(PROMPT_EMBEDDINGS);
  const embeddings = own.get(PROMPT_EMBEDDINGS);
  if (!embeddings) refuse(where, 'The file lacks the tensor prompt_embeddings.', EXPORT_AGAIN);
  if (embeddings.shape.join() !== wanted.join()) {
    refuse(where, `Its shape is [${embeddings.shape}], but the config means [${wanted}].`, EXPORT_AGAIN);
  }
  const stray = [...own.keys()].find((name) => name !== PROMPT_EMBEDDINGS);
  if (stray) refuse(tensorPlace(peftKey(type, stray)), 'This tensor is not part of the adapter.', OTHER_KINDS);

  const encoderWidth = () => countField(config, 'encoder_hidden_size', width);
  switch (type) {
    case 'PROMPT_TUNING':
      return {
        type,
        config: {
          ...prompt,
          prompt_tuning_init: textField(config, 'prompt_tuning_init', 'RANDOM', ['RANDOM', 'SAMPLE_VOCAB', 'TEXT']),
          prompt_tuning_init_text: stringOrNull(config, 'prompt_tuning_init_text'),
          tokenizer_name_or_path: stringOrNull(config, 'tokenizer_name_or_path'),
        },
        tensors: all,
      };
    case 'PREFIX_TUNING':
      return {
        type,
        config: {
          ...prompt,
          encoder_hidden_size: encoderWidth(),
          prefix_projection: config.prefix_projection === true,
        },
        tensors: all,
      };
    case 'P_TUNING':
      return {
        type,
        config: {
          ...prompt,
          encoder_reparameterization_type: textField(config, 'encoder_reparameterization_type', 'MLP', ['MLP', 'LSTM']),
          encoder_hidden_size: encoderWidth(),
          encoder_num_layers: countField(config, 'encoder_num_layers', 2),
          encoder_dropout: numberField(config, 'encoder_dropout', 0, (n) => n >= 0 && n < 1),
        },
        tensors: all,
      };
  }
}
