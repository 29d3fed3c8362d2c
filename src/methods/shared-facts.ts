/** Words and costs that several methods share. */
import type { Cost } from './method';

export const PEFT_FOLDER =
  'PEFT’s folder: adapter_config.json and adapter_model.safetensors, and labels.json for a classifier';
export const NETWORK_FOLDER = `${PEFT_FOLDER}; of a network that made them, only what came out`;
export const MODEL_FOLDER = 'a model folder of Hugging Face’s: config.json, model.safetensors and the tokenizer';

/** Weight, gradient and AdamW's two moments, four bytes each, for every parameter. */
export const everyWeight = (most = ''): Cost => ({
  bytes: ({ parameters }) => parameters * 16,
  words: (size) => `${most}${size}, and the activations`,
  unknown: 'four times the model and more',
});

export const WHOLE_MODEL: Cost = {
  bytes: ({ bytes }) => bytes,
  words: (size) => `the whole model, ${size}`,
  unknown: 'the whole model',
};
