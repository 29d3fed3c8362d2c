/** Llama under another model_type. */
import type { Family } from './family';
import { type LlamaConfig, llama } from './llama';

export const myLlama: Family<LlamaConfig> = {
  ...llama,
  modelType: 'my_llama',
  architectures: ['MyLlamaForCausalLM'],
};
