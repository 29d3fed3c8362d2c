/** Adapters in PEFT's format, read and written. */
export {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  formatAdapterConfig,
  type PeftFiles,
  parseAdapterConfig,
  peftFolder,
  readPeftFolder,
} from './folder';
export { readPeft } from './read';
export { peftKey } from './tensors';
export type {
  PeftAdapter,
  PeftIa3Config,
  PeftLoraConfig,
  PeftPrefixTuningConfig,
  PeftPromptTuningConfig,
  PeftPTuningConfig,
  PeftTask,
  PeftTensors,
  PeftType,
} from './types';
export { writePeft } from './write';
