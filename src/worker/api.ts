/**
 * What the screen and the headless runner may ask of Tabtune, as one typed interface. `createSession()` in session.ts
 * serves it with two workers behind it: the data worker (parsing, templates, tokenizers: strangers' code, killed on a
 * deadline) and the engine worker (WebGPU, training, checkpoints). Every promise rejects with a TabtuneError.
 */
import type { ErrorData } from '../base/errors';
import type { ParsedDataset, TokenizedDataset, TokenView } from '../data/types';
import type { ModelSummary } from '../hub/types';
import type { DatasetSection, Recipe } from '../recipe/types';
import type { MetricsRow, RunRecord, SampleAnswer } from '../storage/types';

export interface DeviceReport {
  available: boolean;
  vendor: string;
  architecture: string;
  description: string;
  /** True for SwiftShader and other CPU adapters: correct, but slow. */
  software: boolean;
  features: string[];
  maxBufferSize: number;
  maxStorageBufferBindingSize: number;
  /** Why WebGPU cannot be used, when `available` is false. */
  problem: ErrorData | null;
}

export interface Forecast {
  trainableParameters: number;
  totalParameters: number;
  /** GPU bytes, part by part; the total is their sum. */
  memory: { weights: number; adapter: number; optimizer: number; activations: number; logits: number };
  totalBytes: number;
  totalSteps: number;
  /** Tokens the run will process, padding excluded. */
  tokens: number;
  /** Seconds, from measured steps of this device and model where there are any; null until then. */
  seconds: number | null;
  /** Why the run cannot start; empty when it can. */
  blockers: ErrorData[];
}

export type TrainEvent =
  | { type: 'started'; run: RunRecord; totalSteps: number; stepsPerEpoch: number; resumedFrom: number }
  | { type: 'metrics'; row: MetricsRow; tokensPerSecond: number; secondsLeft: number }
  | { type: 'samples'; answers: SampleAnswer[] }
  | { type: 'checkpoint'; step: number }
  | { type: 'state'; state: 'training' | 'evaluating' | 'sampling' | 'saving' | 'paused' }
  | { type: 'finished'; run: RunRecord; summary: RunSummary }
  | { type: 'failed'; error: ErrorData; run: RunRecord | null; resumable: boolean };

export interface RunSummary {
  recipe: Recipe;
  reason: 'completed' | 'stopped' | 'early_stopping';
  steps: number;
  tokens: number;
  seconds: number;
  initialEvalLoss: number | null;
  finalEvalLoss: number | null;
  bestEvalLoss: number | null;
  bestStep: number | null;
  trainableParameters: number;
  totalParameters: number;
  dispatchesPerStep: number;
  gpuBytes: number;
  device: DeviceReport;
  versions: Record<string, string>;
}

export interface GenerationOptions {
  maxNewTokens: number;
  /** 0 is greedy. */
  temperature: number;
  topP: number;
  seed: number;
  /** 0 answers as the base, 1 as tuned; between and beyond scales the adapter. */
  adapterStrength: number;
}

export interface ModelInfo extends ModelSummary {
  /** Names of linear modules LoRA may attach to, e.g. ['q_proj', …]. */
  linearModules: string[];
  hasChatTemplate: boolean;
}

/** How a dataset arrives: chosen by source, or dropped as a file (then kept in this browser as `file:NAME`). */
export interface Session {
  device(): Promise<DeviceReport>;

  /** Loads tokenizer, template and weights; the previous model is freed. Progress in bytes. */
  openModel(source: string, onProgress?: (loaded: number, total: number) => void): Promise<ModelInfo>;
  /** Keeps a dropped model folder in this browser and returns its source, `file:NAME`. Checks it first. */
  importModel(files: { path: string; file: File }[]): Promise<string>;

  /** Parses a dataset. The first call for a dropped file stores it, so that the run survives a reload. */
  openDataset(section: DatasetSection): Promise<ParsedDataset>;
  importDataset(file: File): Promise<string>;
  /** Applies an edit made in the table to the stored copy. */
  editDataset(source: string, row: number, fields: Record<string, string>): Promise<ParsedDataset>;
  /** Templates, tokenizes, masks, splits; needs an open model. Cached until model, dataset or those fields change. */
  tokenize(recipe: Recipe): Promise<TokenizedDataset>;
  viewTokens(recipe: Recipe, row: number): Promise<TokenView>;

  forecast(recipe: Recipe): Promise<Forecast>;

  /** Starts a run; events go to `subscribe`. Resolves when the run has ended in any way, with its record. */
  train(recipe: Recipe): Promise<RunRecord>;
  /** Goes on with an interrupted or paused run from its last checkpoint; from the beginning when it has none yet. */
  resumeRun(runId: string): Promise<RunRecord>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Stops after the current step and keeps what was learned. */
  stop(): Promise<void>;
  subscribe(listener: (event: TrainEvent) => void): () => void;

  runs(): Promise<RunRecord[]>;
  runMetrics(runId: string): Promise<MetricsRow[]>;
  runSamples(runId: string): Promise<SampleAnswer[]>;
  deleteRun(runId: string): Promise<void>;
  /** Loads a run's adapter (best checkpoint) onto the open model for compare and export. */
  openRun(runId: string): Promise<RunRecord>;
  /** Opens a PEFT folder or zip as the current adapter. */
  importAdapter(files: { path: string; file: File }[]): Promise<{ name: string; trainableParameters: number }>;

  /** Streams an answer; `onText` gets the whole text so far. `prompt` goes through the chat template where there is one. */
  generate(
    prompt: string,
    options: GenerationOptions,
    onText: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<string>;

  /** The PEFT folder of the current adapter, as files. */
  exportAdapter(): Promise<{ name: string; files: { path: string; bytes: Uint8Array }[] }>;

  storage(): Promise<{ usage: number; quota: number; persisted: boolean; items: StorageItem[] }>;
  deleteStored(id: string): Promise<void>;
  eraseEverything(): Promise<void>;
  /** Ends both workers. */
  close(): void;
}

export interface StorageItem {
  id: string;
  kind: 'dataset' | 'model' | 'run';
  name: string;
  bytes: number;
  createdAt: number;
}
