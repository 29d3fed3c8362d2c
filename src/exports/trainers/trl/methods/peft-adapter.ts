/** Adapters that PEFT opens and trains as they are saved. */
import type { Python } from '../part';
import adapter from '../python/adapter.py?raw';

export const ATTACH = ['model = with_adapter(model)'];

export const openedByPeft = (): Python => ({
  imports: ['from peft import PeftModel', 'from transformers.integrations import is_deepspeed_zero3_enabled'],
  definitions: [adapter],
});
