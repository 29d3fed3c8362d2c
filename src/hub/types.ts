/** Where a model's bytes come from: a folder in the Hugging Face layout, whoever serves it. */
import type { GgmlType } from '../formats/ggml';
import type { GgufVocabulary } from '../formats/gguf-vocabulary';

/** A tensor at bytes [start, end) of a file, and what to undo while reading it. */
export interface FolderTensor {
  file: string;
  dtype: GgmlType;
  /** As it lies there. */
  shape: number[];
  start: number;
  end: number;
  /** A Conv1D that lies as a linear does, [out, in]: the checkpoint's shape is the other way round. */
  transposed?: true;
  /** For each row of a group of so many, the row of the file that it is. */
  order?: Uint32Array;
  /** Added to every value (F32). */
  add?: number;
}

export interface ModelFolder {
  /** `builtin:stories`, `file:my-model`, … as in the recipe. */
  source: string;
  /** Human name and licence, where the place it comes from tells. */
  title?: string;
  licence?: string;
  /** The commit of the Hub that the files are of. */
  commit?: string;
  /** Names of the files in it. */
  files: string[];
  has(name: string): boolean;
  /** Size in bytes, where known before reading. */
  size(name: string): number | undefined;
  text(name: string): Promise<string>;
  /** Bytes [start, end) of a file; the whole file when left out. */
  bytes(name: string, start?: number, end?: number): Promise<ArrayBuffer>;
  /** Of a GGUF file: its tensors by the checkpoint's names, */
  tensors?: Map<string, FolderTensor>;
  /** what tokenizer.json is made of (`text` makes it too, but takes a second for a large one), */
  vocabulary?: GgufVocabulary;
  /** how it is quantised, e.g. `Q4_K_M`, */
  quantization?: string;
  /** and the model of the Hub that it was made from, where it tells. */
  baseModel?: string;
}

/** What a person sees about a model before its weights are loaded. */
export interface ModelSummary {
  source: string;
  /** Human name, e.g. "Stories 2M". */
  title: string;
  architecture: string;
  /** Decoders write text; encoders read it whole. */
  kind: 'decoder' | 'encoder';
  parameters: number;
  bytes: number;
  dtype: string;
  vocabSize: number;
  contextLength: number;
  hiddenSize: number;
  layers: number;
  licence: string;
}
