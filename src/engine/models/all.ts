/** The forward pass of every family by its model_type, a line each. */
export { loadBert as bert } from './bert';
export { loadDistilbert as distilbert } from './distilbert';
export { loadGemma2 as gemma2 } from './gemma2';
export { loadGemma3 as gemma3_text } from './gemma3';
export { loadGptNeox as gpt_neox } from './gpt-neox';
export { loadGpt2 as gpt2 } from './gpt2';
export { loadLlama as llama } from './llama';
export { loadMistral as mistral } from './mistral';
export { loadPhi3 as phi3 } from './phi3';
export { loadQwen2 as qwen2 } from './qwen2';
export { loadQwen3 as qwen3 } from './qwen3';
export { loadRoberta as roberta } from './roberta';
export { loadSmolLM3 as smollm3 } from './smollm3';
