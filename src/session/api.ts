/**
 * What the screen and the headless runner may ask of Tabtune, as one typed interface. `createSession()` in session.ts
 * serves it with workers behind it: the data worker (parsing, templates, tokenizers: strangers' code, killed on a
 * deadline) and the engine worker (WebGPU, training, checkpoints). Every promise rejects with a TabtuneError.
 */
import type { ErrorData } from '../base/errors';
import type { ParsedDataset, TokenizedDataset, TokenView } from '../data/types';
import type { Download, HubHit, HubModel, HubSettings, Quantization, ShelfModel, Verdict } from '../hub/descriptions';
import type { ModelSummary } from '../hub/types';
import type { RecipePath } from '../recipe/fields';
import type { DatasetSection, MethodType, ObjectiveType, Recipe } from '../recipe/types';
import type { MetricsRow, RunRecord, SampleAnswer } from '../storage/types';

export type { ClassReport } from '../storage/types';

export interface DeviceReport {
  available: boolean;
  vendor: string;
  architecture: string;
  description: string;
  /** True for SwiftShader and other CPU adapters: correct, but slow. */
  software: boolean;
  features: string[];
  /** WebGPU's, by their names. */
  limits: Record<string, number>;
  maxBufferSize: number;
  maxStorageBufferBindingSize: number;
  /** Why WebGPU cannot be used, when `available` is false. */
  problem: ErrorData | null;
}

/** A change to the recipe that makes a run smaller. */
export interface MemoryAdvice {
  /** As on a button: `Turn on gradient checkpointing`. */
  label: string;
  changes: Partial<Record<RecipePath, unknown>>;
  /** GPU bytes. */
  saves: number;
  /** Whether the run fits with this change alone. */
  enough: boolean;
}

export interface Forecast {
  trainableParameters: number;
  totalParameters: number;
  /** GPU bytes, part by part; the total is their sum. */
  memory: {
    weights: number;
    adapter: number;
    gradients?: number;
    optimizer: number;
    activations: number;
    logits: number;
  };
  totalBytes: number;
  /** Whether the GPU holds it; left out like the two below while nothing is known of the run. */
  verdict?: Verdict;
  /** What is believed to be free on the GPU, and in a few words how that is known; null when nothing is. */
  budget?: { bytes: number; how: string } | null;
  /** What would make it smaller, the best first; empty when it fits. */
  advice?: MemoryAdvice[];
  /** Whether blocks are computed again in the backward pass: what `auto` comes to. */
  gradientCheckpointing?: boolean;
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
  /** Whether blocks were computed again in the backward pass; what `auto` came to. */
  gradientCheckpointing: boolean;
  dispatchesPerStep: number;
  gpuBytes: number;
  /** The objective's own figures of the last evaluation; null where there are none. */
  metrics: Record<string, number> | null;
  /** Loss on base text before and after; null without such text. */
  forgetting: { before: number; after: number } | null;
  /** ‖ΔW‖ / ‖W‖ over the linears that were changed; null where none was. */
  weightChange: number | null;
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

/** Precisions that a merged model can be written in, as safetensors calls them. */
export type MergedDtype = 'F32' | 'BF16' | 'F16';

/** `writing` counts bytes; `checking` goes from 0 to 1. */
export interface MergeProgress {
  phase: 'writing' | 'checking';
  done: number;
  total: number;
}

/** A model folder in the Hugging Face layout, the adapter merged into its weights. */
export interface MergedExport {
  /** Of the folder. */
  name: string;
  files: { path: string; blob: Blob }[];
  bytes: number;
  /** Largest difference of a logit between merged and adapter form; null where the GPU has no room for both at once. */
  maxLogitDifference: number | null;
}

/** One label with what a classifier gives it, 0 to 1; of regression the predicted number. */
export interface LabelScore {
  label: string;
  probability: number;
  /** Token classification: the word that it is the label of, in the order of the text. */
  word?: string;
}

/** What a person trained or opened for the open model; at most one of them is active. */
export interface LoadedAdapter {
  id: string;
  name: string;
  method: MethodType;
  objective: ObjectiveType;
  trainableParameters: number;
  active: boolean;
  /** The run that it came from; null when it was opened from files. */
  runId: string | null;
}

export interface ModelInfo extends ModelSummary {
  /** Names of linear modules LoRA may attach to, e.g. ['q_proj', …]. */
  linearModules: string[];
  hasChatTemplate: boolean;
}

/** How a dataset arrives: chosen by source, or dropped as a file (then kept in this browser as `file:NAME`). */
export interface Session extends HubApi {
  device(): Promise<DeviceReport>;

  /**
   * Loads tokenizer, template and weights; the previous model is freed. Progress in bytes. Weights are kept as they are
   * stored unless a quantization asks for less. A model of the Hub must have been downloaded: nothing large is fetched
   * because a recipe or a link names it.
   */
  openModel(
    source: string,
    onProgress?: (loaded: number, total: number) => void,
    quantization?: Quantization,
  ): Promise<ModelInfo>;
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
  /** All that are loaded, the newest last. */
  listAdapters(): Promise<LoadedAdapter[]>;
  /** Null takes the active one off: the model is the base again, and the others stay loaded. */
  activateAdapter(id: string | null): Promise<void>;
  removeAdapter(id: string): Promise<void>;

  /** Streams an answer; `onText` gets the whole text so far. `prompt` goes through the chat template where there is one. */
  generate(
    prompt: string,
    options: GenerationOptions,
    onText: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<string>;

  /**
   * The labels of a text, the likeliest first; `strength` as in GenerationOptions. Needs a model with a classifier's head,
   * which training brings.
   */
  classify(text: string, strength: number): Promise<LabelScore[]>;

  /**
   * One vector a text, with the adapter where one is on the model: pooled and scaled as the model's own sentence-transformers
   * files say, else the mean of its tokens. Texts longer than the model reads are cut.
   */
  embed(texts: string[]): Promise<Float32Array[]>;

  /** The PEFT folder of the current adapter, as files. */
  exportAdapter(): Promise<{ name: string; files: { path: string; bytes: Uint8Array }[] }>;
  /** The base model with the current adapter merged in (or as it is, without one), as a folder that transformers opens. */
  exportMerged(
    dtype: MergedDtype,
    onProgress?: (progress: MergeProgress) => void,
    signal?: AbortSignal,
  ): Promise<MergedExport>;

  storage(): Promise<{ usage: number; quota: number; persisted: boolean; items: StorageItem[] }>;
  deleteStored(id: string): Promise<void>;
  eraseEverything(): Promise<void>;
  /** Ends both workers. */
  close(): void;
}

/** Models of the Hugging Face Hub, and what has been fetched of them. */
export interface HubApi {
  hubSettings(): HubSettings;
  /** From now on; the token stays in memory. */
  setHubSettings(settings: HubSettings): Promise<void>;
  /** The curated shelf; asks nothing of the network. At once without plans, which follow card by card. */
  shelf(onPlanned?: (models: ShelfModel[]) => void): Promise<ShelfModel[]>;
  searchHub(query: string, signal?: AbortSignal): Promise<HubHit[]>;
  /** `ORG/NAME`, `hf:ORG/NAME@REVISION` or an address of the Hub. Reads the listing, configs and headers only. */
  describeModel(nameOrUrl: string, signal?: AbortSignal): Promise<HubModel>;
  /** All that is at work, stopped or failed, whenever one of them changes; at most a few times a second. */
  watchDownloads(listener: (downloads: Download[]) => void): () => void;
  /**
   * Starts, or goes on from what is there already. Resolves when all is here and verified (at once when it was), rejects
   * when it failed or was paused or cancelled (`cancelled`). A source without a commit is asked about again; without a
   * network, the one that is here counts.
   */
  download(source: string): Promise<void>;
  pauseDownload(source: string): Promise<void>;
  /** Stops it and deletes what was fetched. */
  cancelDownload(source: string): Promise<void>;
  /** Asks the browser to keep the data; whether it will. */
  persist(): Promise<boolean>;
}

export interface StorageItem {
  id: string;
  kind: 'dataset' | 'model' | 'run';
  name: string;
  bytes: number;
  createdAt: number;
  /** When a downloaded model was last opened; null when never. Not told of other kinds. */
  usedAt?: number | null;
  /** Bytes of all of a model that is here in part only. */
  total?: number;
}
