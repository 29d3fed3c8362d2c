/** Every model family, a line each. */
export { bert } from './bert';
export { distilbert } from './distilbert';
export { gemma2 } from './gemma2';
export { gemma3 } from './gemma3';
export { gptNeox } from './gpt-neox';
export { gpt2 } from './gpt2';
export { llama } from './llama';
export { mistral } from './mistral';
export { phi3 } from './phi3';
export { qwen2 } from './qwen2';
export { qwen3 } from './qwen3';
export { roberta } from './roberta';
export { smollm3 } from './smollm3';
