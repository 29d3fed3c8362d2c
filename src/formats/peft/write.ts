/**
 * PEFT's files from an adapter. Only those fields of the config are written that say something: PEFT takes its defaults for
 * the rest, and older versions know fewer of them.
 */
import type { PeftFiles } from './folder';
import { writeTensors } from './tensors';
import type { PeftAdapter } from './types';

/** Encodes an adapter. The same adapter always gives the same bytes. */
export function writePeft(adapter: PeftAdapter): PeftFiles {
  const { type, config, tensors } = adapter;
  const common = {
    auto_mapping: config.auto_mapping ?? null,
    base_model_name_or_path: config.base_model_name_or_path,
    inference_mode: true,
    modules_to_save: config.modules_to_save,
    peft_type: type,
    revision: null,
    task_type: config.task_type,
  };
  return { config: { ...common, ...fieldsOf(adapter) }, weights: writeTensors(type, tensors) };
}

function fieldsOf(adapter: PeftAdapter): Record<string, unknown> {
  switch (adapter.type) {
    case 'LORA': {
      const { config } = adapter;
      return {
        alpha_pattern: config.alpha_pattern,
        bias: 'none',
        // What PEFT itself sets for GPT-2's Conv1D modules; A and B lie the same way for both.
        fan_in_fan_out: config.fan_in_fan_out,
        init_lora_weights: true,
        // A JSON integer when it is one: Ollama reads this field as uint32 and refuses 16.0.
        lora_alpha: config.lora_alpha,
        lora_dropout: config.lora_dropout,
        r: config.r,
        rank_pattern: config.rank_pattern,
        target_modules: [...config.target_modules].sort(),
        use_dora: config.use_dora,
        use_rslora: config.use_rslora,
      };
    }
    case 'IA3': {
      const { config } = adapter;
      return {
        fan_in_fan_out: config.fan_in_fan_out,
        feedforward_modules: [...config.feedforward_modules].sort(),
        init_ia3_weights: true,
        target_modules: [...config.target_modules].sort(),
      };
    }
    case 'PROMPT_TUNING': {
      const { prompt_tuning_init, prompt_tuning_init_text, tokenizer_name_or_path } = adapter.config;
      return { ...promptFields(adapter), prompt_tuning_init, prompt_tuning_init_text, tokenizer_name_or_path };
    }
    case 'PREFIX_TUNING': {
      const { encoder_hidden_size, prefix_projection } = adapter.config;
      return { ...promptFields(adapter), encoder_hidden_size, prefix_projection };
    }
    case 'P_TUNING': {
      const { encoder_reparameterization_type, encoder_hidden_size, encoder_num_layers, encoder_dropout } =
        adapter.config;
      return {
        ...promptFields(adapter),
        encoder_dropout,
        encoder_hidden_size,
        encoder_num_layers,
        encoder_reparameterization_type,
      };
    }
  }
}

type PromptAdapter = Extract<PeftAdapter, { type: 'PROMPT_TUNING' | 'PREFIX_TUNING' | 'P_TUNING' }>;

function promptFields({ config }: PromptAdapter) {
  const { num_attention_heads, num_layers, num_transformer_submodules, num_virtual_tokens, token_dim } = config;
  return { num_attention_heads, num_layers, num_transformer_submodules, num_virtual_tokens, token_dim };
}
