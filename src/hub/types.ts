/** Where a model's bytes come from: a folder in the Hugging Face layout, wherever it is stored. */
import type { GgmlType } from '../formats/ggml';
import type { GgufVocabulary } from '../formats/gguf-vocabulary';

/** A tensor stored at bytes [start, end) of a file, and what reading it must undo. */
export interface FolderTensor {
  file: string;
  dtype: GgmlType;
  /** As stored. */
  shape: number[];
  start: number;
  end: number;
  /** A Conv1D stored like a linear layer, [out, in]; the checkpoint's shape is [in, out]. */
  transposed?: true;
  /** A permutation within each group of `order.length` rows: for each row, its row in the file. */
  order?: Uint32Array;
  /** Added to every value (F32). */
  add?: number;
}

/** The tokeniser files of a Hugging Face folder. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
] as const;

export interface ModelFolder {
  /** `builtin:stories`, `file:my-model`, … as in the recipe. */
  source: string;
  /** Display name and licence, if known from where the folder comes. */
  title?: string;
  licence?: string;
  /** The Hub commit of the files. */
  commit?: string;
  /** Names of the files in the folder. */
  files: string[];
  has(name: string): boolean;
  /** Size in bytes, if known before reading. */
  size(name: string): number | undefined;
  text(name: string): Promise<string>;
  /** Bytes [start, end) of a file; the whole file by default. */
  bytes(name: string, start?: number, end?: number): Promise<ArrayBuffer>;
  /** A hash of a file's content if it is known without reading the file; always made in the same way for the same source. */
  hash?(name: string): Promise<string | undefined>;
  /** GGUF only: the tensors, by their names in the checkpoint. */
  tensors?: Map<string, FolderTensor>;
  /** GGUF only: the vocabulary for tokenizer.json. `text` builds that file too, but can take a second. */
  vocabulary?: GgufVocabulary;
  /** GGUF only: the keys of the file's metadata, and a value as the file has it, its type included. */
  rawMetadata?: { keys: readonly string[]; bytes(key: string): Promise<Uint8Array> };
  /** GGUF only: the quantisation, e.g. `Q4_K_M`. */
  quantization?: string;
  /** GGUF only: the Hub model it was made from, if the file says. */
  baseModel?: string;
}

/** What people see about a model before its weights are loaded. */
export interface ModelSummary {
  source: string;
  /** Display name, e.g. "Stories 2M". */
  title: string;
  architecture: string;
  /** Decoders generate text; encoders see the whole text at once. */
  kind: 'decoder' | 'encoder';
  parameters: number;
  bytes: number;
  dtype: string;
  vocabSize: number;
  contextLength: number;
  hiddenSize: number;
  layers: number;
  licence: string;
  /** The output projection differs from the embedding although config.json ties them: it is used as stored. */
  headApart?: boolean;
  /** What a person should know about how the files were read, a sentence each. */
  notes?: string[];
}
