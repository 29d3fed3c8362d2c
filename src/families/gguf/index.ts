/**
 * The families in llama.cpp's file format. They stand apart from the descriptors because only code that reads or writes a GGUF file
 * needs them, and the page loads the descriptors before anything else.
 */
import * as all from './all';
import type { GgufFamily } from './family';

/** By Hugging Face's model_type, in its order: of several that may have made a file, the first is taken. */
export const ggufFamilies: Record<string, GgufFamily> = Object.fromEntries(
  Object.entries(all as Record<string, GgufFamily>).sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** Undefined for a family whose GGUF files cannot be read or written. */
export const ggufOf = (modelType: string): GgufFamily | undefined =>
  Object.hasOwn(ggufFamilies, modelType) ? ggufFamilies[modelType] : undefined;
