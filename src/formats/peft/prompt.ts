/**
 * PEFT's prompt learning (src/peft/tuners/{prompt_tuning,p_tuning,prefix_tuning}/config.py): one tensor `prompt_embeddings`,
 * [num_virtual_tokens, token_dim], or [num_virtual_tokens, num_layers · 2 · token_dim] for a prefix.
 */
import { countField, fieldPlace, type Json, numberField, stringOrNull, textField } from './fields';
import { PROMPT_EMBEDDINGS, peftKey, tensorPlace } from './keys';
import type { CommonConfig, PeftKind, SplitTensors } from './kind';
import { EXPORT_AGAIN, OTHER_KINDS, refuse } from './refuse';

/** Fields common to all of PEFT's prompt learning methods. */
export interface PromptConfig extends CommonConfig {
  num_virtual_tokens: number;
  /** Width of a virtual token; for a prefix, the width of a layer's keys. */
  token_dim: number;
  /** 1 for the models supported here; 2 for an encoder-decoder. */
  num_transformer_submodules: number;
  num_attention_heads: number;
  num_layers: number;
}

export interface PeftPromptTuningConfig extends PromptConfig {
  prompt_tuning_init: 'RANDOM' | 'SAMPLE_VOCAB' | 'TEXT';
  prompt_tuning_init_text: string | null;
  /** PEFT requires it with TEXT. */
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

export const promptTuningKind: PeftKind<PeftPromptTuningConfig> = {
  type: 'PROMPT_TUNING',
  prompt: true,
  read: (config, common, tensors) => ({
    ...readPrompt(config, common, tensors, ({ token_dim }) => token_dim),
    prompt_tuning_init: textField(config, 'prompt_tuning_init', 'RANDOM', ['RANDOM', 'SAMPLE_VOCAB', 'TEXT']),
    prompt_tuning_init_text: stringOrNull(config, 'prompt_tuning_init_text'),
    tokenizer_name_or_path: stringOrNull(config, 'tokenizer_name_or_path'),
  }),
  fields: (config) => {
    const { prompt_tuning_init, prompt_tuning_init_text, tokenizer_name_or_path } = config;
    return { ...promptFields(config), prompt_tuning_init, prompt_tuning_init_text, tokenizer_name_or_path };
  },
};

export const prefixTuningKind: PeftKind<PeftPrefixTuningConfig> = {
  type: 'PREFIX_TUNING',
  prompt: true,
  read: (config, common, tensors) => {
    const prompt = readPrompt(config, common, tensors, ({ num_layers, token_dim }) => num_layers * 2 * token_dim);
    return {
      ...prompt,
      encoder_hidden_size: countField(config, 'encoder_hidden_size', prompt.token_dim),
      prefix_projection: config.prefix_projection === true,
    };
  },
  fields: (config) => {
    const { encoder_hidden_size, prefix_projection } = config;
    return { ...promptFields(config), encoder_hidden_size, prefix_projection };
  },
};

export const pTuningKind: PeftKind<PeftPTuningConfig> = {
  type: 'P_TUNING',
  prompt: true,
  read: (config, common, tensors) => {
    const prompt = readPrompt(config, common, tensors, ({ token_dim }) => token_dim);
    return {
      ...prompt,
      encoder_reparameterization_type: textField(config, 'encoder_reparameterization_type', 'MLP', ['MLP', 'LSTM']),
      encoder_hidden_size: countField(config, 'encoder_hidden_size', prompt.token_dim),
      encoder_num_layers: countField(config, 'encoder_num_layers', 2),
      encoder_dropout: numberField(config, 'encoder_dropout', 0, (n) => n >= 0 && n < 1),
    };
  },
  fields: (config) => {
    const { encoder_reparameterization_type, encoder_hidden_size, encoder_num_layers, encoder_dropout } = config;
    return {
      ...promptFields(config),
      encoder_dropout,
      encoder_hidden_size,
      encoder_num_layers,
      encoder_reparameterization_type,
    };
  },
};

function promptFields(config: PromptConfig) {
  const { num_attention_heads, num_layers, num_transformer_submodules, num_virtual_tokens, token_dim } = config;
  return { num_attention_heads, num_layers, num_transformer_submodules, num_virtual_tokens, token_dim };
}

/** `columns` is the expected width of the tensor. */
function readPrompt(
  config: Json,
  common: CommonConfig,
  tensors: () => SplitTensors,
  columns: (prompt: PromptConfig) => number,
): PromptConfig {
  const prompt: PromptConfig = {
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
      'This adapter is for an encoder-decoder model, which is not supported.',
      OTHER_KINDS,
    );
  }
  const { own } = tensors();
  const wanted = [prompt.num_virtual_tokens, columns(prompt)];
  const where = tensorPlace(PROMPT_EMBEDDINGS);
  const embeddings = own.get(PROMPT_EMBEDDINGS);
  if (!embeddings) refuse(where, 'The file has no tensor prompt_embeddings.', EXPORT_AGAIN);
  if (embeddings.shape.join() !== wanted.join()) {
    refuse(where, `Its shape is [${embeddings.shape}], but the config implies [${wanted}].`, EXPORT_AGAIN);
  }
  const stray = [...own.keys()].find((name) => name !== PROMPT_EMBEDDINGS);
  if (stray)
    refuse(tensorPlace(peftKey({ prompt: true }, stray)), 'This tensor does not belong to the adapter.', OTHER_KINDS);
  return prompt;
}
