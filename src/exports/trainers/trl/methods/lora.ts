/** LoRA and its kin in PEFT. */
import type { LoraMethod } from '../../../../methods/lora';
import type { TrlMethod } from '../part';
import adapter from '../python/adapter.py?raw';

export const lora: TrlMethod<LoraMethod> = {
  type: 'lora',
  leaves: 'adapter',
  attach: () => ['model = with_adapter(model)'],
  python: () => ({
    imports: ['from peft import PeftModel', 'from transformers.integrations import is_deepspeed_zero3_enabled'],
    definitions: [adapter],
  }),
  yaml: (section) => ({
    use_peft: true,
    lora_r: section.r,
    lora_alpha: section.lora_alpha,
    lora_dropout: section.lora_dropout,
    lora_target_modules: section.target_modules === 'all-linear' ? ['all-linear'] : section.target_modules,
    ...(section.modules_to_save.length > 0 ? { lora_modules_to_save: section.modules_to_save } : {}),
    use_rslora: section.use_rslora,
    use_dora: section.use_dora,
  }),
};
