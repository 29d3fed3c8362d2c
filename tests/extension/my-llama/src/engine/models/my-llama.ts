/** Llama under another model_type: the same forward pass. */
export { loadLlama as loadMyLlama } from './llama';
