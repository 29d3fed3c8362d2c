/** Where a model's bytes come from: a folder in the Hugging Face layout, whoever serves it. */
export interface ModelFolder {
  /** `builtin:stories`, `file:my-model`, … as in the recipe. */
  source: string;
  /** Human name and licence, where the place it comes from tells. */
  title?: string;
  licence?: string;
  /** Names of the files in it. */
  files: string[];
  has(name: string): boolean;
  /** Size in bytes, where known before reading. */
  size(name: string): number | undefined;
  text(name: string): Promise<string>;
  /** Bytes [start, end) of a file; the whole file when left out. */
  bytes(name: string, start?: number, end?: number): Promise<ArrayBuffer>;
}

/** What a person sees about a model before its weights are loaded. */
export interface ModelSummary {
  source: string;
  /** Human name, e.g. "Stories 2M". */
  title: string;
  architecture: string;
  parameters: number;
  bytes: number;
  dtype: string;
  vocabSize: number;
  contextLength: number;
  hiddenSize: number;
  layers: number;
  licence: string;
}
