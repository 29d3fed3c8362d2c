/** Adapters in PEFT's format, read and written. Kinds of adapters are given by the caller. */
export {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  formatAdapterConfig,
  type PeftFiles,
  parseAdapterConfig,
  peftFolder,
  readPeftFolder,
} from './folder';
export type { AnyPeftKind, CommonConfig, PeftAdapter, PeftKind, PeftTask, PeftTensors } from './kind';
export { kindOf, readPeftAs } from './read';
export { PROMPT_EMBEDDINGS, peftKey } from './tensors';
export { writePeftAs } from './write';
