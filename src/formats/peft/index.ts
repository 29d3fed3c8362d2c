/** Reads and writes adapters in PEFT's format. The caller supplies the kinds of adapters. */
export {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  formatAdapterConfig,
  type PeftFiles,
  peftFolder,
  readPeftFolder,
} from './folder';
export { PROMPT_EMBEDDINGS, peftKey, tensorPlace } from './keys';
export type { AnyPeftKind, CommonConfig, PeftAdapter, PeftKind, PeftTask, PeftTensors } from './kind';
export { kindOf, readPeftAs } from './read';
export { writePeftAs } from './write';
