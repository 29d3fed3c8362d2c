/**
 * Everything the screens and the headless runner can ask of Tabtune, as one typed interface. `createSession()` in
 * session.ts implements it on top of workers: the data worker (parsing, templates, tokenisers: untrusted code, killed
 * on a deadline) and the engine worker (WebGPU, training, checkpoints). All promises reject with a TabtuneError.
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
  /** WebGPU limits by name. */
  limits: Record<string, number>;
  maxBufferSize: number;
  maxStorageBufferBindingSize: number;
  /** Why WebGPU cannot be used, if `available` is false. */
  problem: ErrorData | null;
}

/** A change to the recipe that reduces the memory of a run. */
export interface MemoryAdvice {
  /** The text of its button, e.g. `Turn on gradient checkpointing`. */
  label: string;
  changes: Partial<Record<RecipePath, unknown>>;
  /** GPU bytes saved. */
  saves: number;
  /** Whether this change alone makes the run fit. */
  enough: boolean;
}

export interface Forecast {
  trainableParameters: number;
  totalParameters: number;
  /** GPU bytes by part; `totalBytes` is their sum. */
  memory: {
    weights: number;
    adapter: number;
    gradients?: number;
    optimizer: number;
    activations: number;
    logits: number;
  };
  totalBytes: number;
  /** Whether it fits on the GPU. This and the two below are absent until something is known about the run. */
  verdict?: Verdict;
  /** The memory estimated to be available on the GPU, and briefly how it is known; null if it is not. */
  budget?: { bytes: number; how: string } | null;
  /** Changes that would save memory, best first; empty if the run fits. */
  advice?: MemoryAdvice[];
  /** Whether blocks are recomputed in the backward pass; resolves `auto`. */
  gradientCheckpointing?: boolean;
  totalSteps: number;
  /** Tokens the run will process, padding excluded. */
  tokens: number;
  /** Seconds, estimated from measured steps on this device and model; null until there are any. */
  seconds: number | null;
  /** Why the run cannot start; empty if it can. */
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

/** What to do if a run's data or model is not what it was trained on. */
export type ChangedInputs = 'refuse' | 'use';

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
  /** Whether blocks were recomputed in the backward pass; resolves `auto`. */
  gradientCheckpointing: boolean;
  dispatchesPerStep: number;
  gpuBytes: number;
  /** The objective's metrics at the last evaluation; null if it has none. */
  metrics: Record<string, number> | null;
  /** Loss on base text before and after training; null without base text. */
  forgetting: { before: number; after: number } | null;
  /** ‖ΔW‖ / ‖W‖ over the linear layers that changed; null if none did. */
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
  /** 0 is the base model, 1 the fine-tuned one; other values scale the adapter. */
  adapterStrength: number;
}

/** Precisions for a merged model, by their safetensors names. */
export type MergedDtype = 'F32' | 'BF16' | 'F16';

/** `writing` counts bytes; `checking` runs from 0 to 1. */
export interface MergeProgress {
  phase: 'writing' | 'checking';
  done: number;
  total: number;
}

/** A model folder in the Hugging Face layout with the adapter merged into its weights. */
export interface MergedExport {
  /** Name of the folder. */
  name: string;
  files: { path: string; blob: Blob }[];
  bytes: number;
  /** Largest difference in any logit from the unmerged model; null if the GPU cannot hold both at once. */
  maxLogitDifference: number | null;
  /** What a person should know about the files, a sentence each. */
  notes: string[];
}

/** An adapter's folder. */
export interface AdapterExport {
  name: string;
  files: { path: string; bytes: Uint8Array }[];
  /** What a person should know about the files, a sentence each. */
  notes: string[];
}

/** A label and its probability, or for regression the predicted number. */
export interface LabelScore {
  label: string;
  probability: number;
  /** Token classification only: the word that has this label; scores are in text order. */
  word?: string;
}

/** An adapter trained or opened for the open model; at most one is active. */
export interface LoadedAdapter {
  id: string;
  name: string;
  method: MethodType;
  objective: ObjectiveType;
  trainableParameters: number;
  active: boolean;
  /** The run it came from; null if it was opened from files. */
  runId: string | null;
}

export interface ModelInfo extends ModelSummary {
  /** Names of the linear modules LoRA can target, e.g. ['q_proj', …]. */
  linearModules: string[];
  hasChatTemplate: boolean;
  /** What the template does not write, each continuing "The chat template …". */
  templateGaps: string[];
}

/** Datasets are chosen by source, or dropped as a file that is then stored in this browser as `file:NAME`. */
export interface Session extends HubApi {
  device(): Promise<DeviceReport>;

  /**
   * Loads tokeniser, template and weights, and frees the previous model. Progress is in bytes. Weights keep their
   * stored type unless a quantisation is given. A Hub model must already be downloaded: naming it in a recipe or link
   * never starts a large download.
   */
  openModel(
    source: string,
    onProgress?: (loaded: number, total: number) => void,
    quantization?: Quantization,
  ): Promise<ModelInfo>;
  /** Checks a dropped model folder, stores it in this browser and returns its source, `file:NAME`. */
  importModel(files: { path: string; file: File }[]): Promise<string>;

  /** Parses a dataset. */
  openDataset(section: DatasetSection): Promise<ParsedDataset>;
  /** Stores a dropped file, so that a run survives a reload, and returns its source. */
  importDataset(file: File): Promise<string>;
  /** Applies an edit made in the table to the stored copy. */
  editDataset(source: string, row: number, fields: Record<string, string>): Promise<ParsedDataset>;
  /** Applies the template, tokenises, masks and splits. Needs an open model. Cached until its inputs change. */
  tokenize(recipe: Recipe): Promise<TokenizedDataset>;
  viewTokens(recipe: Recipe, row: number): Promise<TokenView>;

  forecast(recipe: Recipe): Promise<Forecast>;

  /** Starts a run; events go to `subscribe`. Resolves with the run's record once it has ended in any way. */
  train(recipe: Recipe): Promise<RunRecord>;
  /**
   * Resumes an interrupted or paused run from its last checkpoint, or from the beginning if it has none. Rejects with
   * `inputs_changed` if its data or model has changed since, unless they are to be used all the same. Whatever goes wrong
   * before its first step, the run stays as it was.
   */
  resumeRun(runId: string, changed?: ChangedInputs): Promise<RunRecord>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Stops after the current step and keeps what was learned. */
  stop(): Promise<void>;
  subscribe(listener: (event: TrainEvent) => void): () => void;

  runs(): Promise<RunRecord[]>;
  runMetrics(runId: string): Promise<MetricsRow[]>;
  runSamples(runId: string): Promise<SampleAnswer[]>;
  deleteRun(runId: string): Promise<void>;
  /** Loads a run's adapter (best checkpoint) onto the open model, to compare and export it. */
  openRun(runId: string): Promise<RunRecord>;
  /** Opens an adapter folder or zip as the current adapter. */
  importAdapter(files: { path: string; file: File }[]): Promise<{ name: string; trainableParameters: number }>;
  /** All loaded adapters, newest last. */
  listAdapters(): Promise<LoadedAdapter[]>;
  /** Null deactivates the active adapter: the model is the base again, and all adapters stay loaded. */
  activateAdapter(id: string | null): Promise<void>;
  removeAdapter(id: string): Promise<void>;

  /** Streams an answer; `onText` gets the whole text so far. The chat template, if any, is applied to the prompt. */
  generate(
    prompt: string,
    options: GenerationOptions,
    onText: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<string>;

  /**
   * The labels of a text, most likely first. `strength` is the `adapterStrength` of GenerationOptions. Needs a model
   * with a classification head, which training adds.
   */
  classify(text: string, strength: number): Promise<LabelScore[]>;

  /**
   * One vector per text, with the active adapter: pooled and normalised according to the model's sentence-transformers
   * files, or else the mean over tokens. Texts longer than the context are truncated.
   */
  embed(texts: string[]): Promise<Float32Array[]>;

  /** The folder of the current adapter, as files. */
  exportAdapter(): Promise<AdapterExport>;
  /** The base model with the current adapter (if any) merged in, as a folder that transformers can load. */
  exportMerged(
    dtype: MergedDtype,
    onProgress?: (progress: MergeProgress) => void,
    signal?: AbortSignal,
  ): Promise<MergedExport>;

  storage(): Promise<{ usage: number; quota: number; persisted: boolean; items: StorageItem[] }>;
  deleteStored(id: string): Promise<void>;
  /**
   * Whether the browser itself keeps the workers with people's data from reaching other servers. It does where the page's
   * server sends the policy; elsewhere only Tabtune's own code does.
   */
  workersClosed(): Promise<boolean>;
  eraseEverything(): Promise<void>;
  /** Terminates all workers. */
  close(): void;
}

/** Models on the Hugging Face Hub and their downloads. */
export interface HubApi {
  hubSettings(): HubSettings;
  /** Takes effect from now on. The token is kept only in memory. */
  setHubSettings(settings: HubSettings): Promise<void>;
  /** The curated shelf, without using the network. It is returned at once; plans follow card by card. */
  shelf(onPlanned?: (models: ShelfModel[]) => void): Promise<ShelfModel[]>;
  searchHub(query: string, signal?: AbortSignal): Promise<HubHit[]>;
  /** Takes `ORG/NAME`, `hf:ORG/NAME@REVISION` or a Hub address. Reads only the file list, configs and headers. */
  describeModel(nameOrUrl: string, signal?: AbortSignal): Promise<HubModel>;
  /** Reports all running, stopped and failed downloads whenever one changes, at most a few times per second. */
  watchDownloads(listener: (downloads: Download[]) => void): () => void;
  /**
   * Starts or resumes a download. Resolves once everything is downloaded and verified (at once if it already was).
   * Rejects if it fails, or with `cancelled` if it is paused or cancelled. A source without a commit is looked up
   * again; offline, the downloaded commit is used.
   */
  download(source: string): Promise<void>;
  pauseDownload(source: string): Promise<void>;
  /** Stops it and deletes what was fetched. */
  cancelDownload(source: string): Promise<void>;
  /** Asks the browser not to evict the data, and returns whether it agreed. */
  persist(): Promise<boolean>;
}

export interface StorageItem {
  id: string;
  kind: 'dataset' | 'model' | 'run';
  name: string;
  bytes: number;
  createdAt: number;
  /** When a downloaded model was last opened; null if never. Absent for other kinds. */
  usedAt?: number | null;
  /** Full size of a partly downloaded model. */
  total?: number;
}
