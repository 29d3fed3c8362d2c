/**
 * What an adapter says of its method, in the recipe's fields. What only training needs and no file holds (LoRA+'s ratio, the
 * start of new tensors) is as in plain runs.
 */
import type {
  Ia3Method,
  LoraMethod,
  MethodSection,
  PrefixMethod,
  PromptMethod,
  PTuningMethod,
} from '../../recipe/types';
import { splitTensors } from './saved';
import type { PeftAdapter } from './types';

/** The method whose settings fit the adapter's tensors; module names are the whole paths of those that have some. */
export function peftMethod(adapter: PeftAdapter): MethodSection {
  const { modules_to_save } = adapter.config;
  switch (adapter.type) {
    case 'LORA': {
      const { r, lora_alpha, lora_dropout, use_rslora, use_dora, rank_pattern, alpha_pattern } = adapter.config;
      return {
        type: 'lora',
        r,
        lora_alpha,
        lora_dropout,
        target_modules: pathsOf(adapter, '.lora_A.weight'),
        use_rslora,
        use_dora,
        init_lora_weights: 'default',
        rank_pattern,
        alpha_pattern,
        loraplus_lr_ratio: 1,
        modules_to_save: modules_to_save ?? [],
        init_adapter: null,
      } satisfies LoraMethod;
    }
    case 'IA3': {
      const paths = pathsOf(adapter, '.ia3_l');
      return {
        type: 'ia3',
        target_modules: paths,
        feedforward_modules: paths.filter((path) => adapter.tensors.get(`${path}.ia3_l`)!.shape[0] === 1),
        modules_to_save: modules_to_save ?? [],
        init_adapter: null,
      } satisfies Ia3Method;
    }
    case 'PROMPT_TUNING': {
      const { num_virtual_tokens, prompt_tuning_init, prompt_tuning_init_text } = adapter.config;
      return {
        type: 'prompt_tuning',
        num_virtual_tokens,
        prompt_tuning_init,
        prompt_tuning_init_text: prompt_tuning_init_text ?? '',
        init_adapter: null,
      } satisfies PromptMethod;
    }
    case 'PREFIX_TUNING': {
      const { num_virtual_tokens, prefix_projection, encoder_hidden_size } = adapter.config;
      return {
        type: 'prefix_tuning',
        num_virtual_tokens,
        prefix_projection,
        encoder_hidden_size,
        prefix_tuning_init_text: '',
        init_adapter: null,
      } satisfies PrefixMethod;
    }
    case 'P_TUNING': {
      const { num_virtual_tokens, encoder_hidden_size } = adapter.config;
      return { type: 'p_tuning', num_virtual_tokens, encoder_hidden_size, init_adapter: null } satisfies PTuningMethod;
    }
  }
}

function pathsOf({ tensors, config }: PeftAdapter, suffix: string): string[] {
  return [...splitTensors(tensors, config.modules_to_save).own.keys()]
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length));
}
