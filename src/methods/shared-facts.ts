/** Phrases and costs shared by several methods. */
import type { Cost } from './method';

export const PEFT_FOLDER =
  'a PEFT folder: adapter_config.json and adapter_model.safetensors, plus labels.json for a classifier';
export const NETWORK_FOLDER = `${PEFT_FOLDER}; if a network produces the virtual tokens, only its output is saved`;
export const MODEL_FOLDER = 'a Hugging Face model folder: config.json, model.safetensors and the tokeniser';

/** Four bytes each for weight, gradient and AdamW's two moments, for every parameter. */
export const everyWeight = (most = ''): Cost => ({
  bytes: ({ parameters }) => parameters * 16,
  words: (size) => `${most}${size} plus activations`,
  unknown: 'more than four times the model',
});

export const WHOLE_MODEL: Cost = {
  bytes: ({ bytes }) => bytes,
  words: (size) => `the whole model, ${size}`,
  unknown: 'the whole model',
};
