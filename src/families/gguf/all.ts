/** Every family that llama.cpp has, a line each, under Hugging Face's model_type. */
export { gemma2Gguf as gemma2 } from './gemma2';
export { gemma3Gguf as gemma3_text } from './gemma3';
export { gptNeoxGguf as gpt_neox } from './gpt-neox';
export { gpt2Gguf as gpt2 } from './gpt2';
export { llamaGguf as llama } from './llama';
export { mistralGguf as mistral } from './mistral';
export { phi3Gguf as phi3 } from './phi3';
export { qwen2Gguf as qwen2 } from './qwen2';
export { qwen3Gguf as qwen3 } from './qwen3';
export { smollm3Gguf as smollm3 } from './smollm3';
