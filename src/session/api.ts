/**
 * Everything the screens and the headless runner can ask of Tabtune, as one typed interface. `createSession()` in
 * session.ts implements it on top of workers: the data worker (parsing, templates, tokenisers: untrusted code, killed
 * on a deadline) and the engine worker (WebGPU, training, checkpoints). All promises reject with a TabtuneError.
 */
import type { ErrorData } from '../base/errors';
import type { KeptKernels } from '../base/product-class';
import type { AugmentOptions } from '../data/augment';
import type { LearnedCounts } from '../data/learned-counts';
import type { Leak, NearGroup } from '../data/near-duplicates';
import type { ParsedDataset, TokenizedDataset, TokenView } from '../data/types';
import type { ExportId } from '../exports';
import type { ExportJob, ExportResult } from '../exports/export';
import type { Quantization, Verdict } from '../hub/descriptions';
import type { ModelSummary } from '../hub/types';
import type { MethodSection } from '../methods';
import type { RecipePath } from '../recipe/fields';
import type { DatasetSection, MethodType, ObjectiveType, Recipe } from '../recipe/types';
import type { RewardSection, TriedAnswer } from '../rewards';
import type { MetricsRow, RunKernels, RunLabels, RunRecord, SampleAnswer, StoredFp16Check } from '../storage/types';
import type { AugmentPreview } from '../workers/data/api';
import type { ShownRollout } from '../workers/engine/rollouts';
import type { RunState } from '../workers/engine/run-state';
import type { Comparison, GenerationOptions, LabelScore, Progress } from './comparison-types';

import type { Reading } from './data-host';
import type { HubApi } from './hub-api';
import type { OwnDatasetsApi } from './own-datasets-types';
import type { SelfInstruct } from './self-instruct-types';

export type { ClassReport } from '../storage/types';
export type { GenerationOptions, LabelScore } from './comparison-types';

export interface DeviceReport {
  available: boolean;
  vendor: string;
  architecture: string;
  description: string;
  /** True for SwiftShader and other CPU adapters: correct, but slow. */
  software: boolean;
  features: string[];
  /** How many lanes a subgroup has, at least and at most; null where the browser does not say. */
  subgroupSizes: [min: number, max: number] | null;
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
    /** Keys and values while texts are written. */
    cache?: number;
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
  /** How many micro-batches of a step go through the model at once, at most. */
  microBatchesTogether?: number;
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
  /** Everything up to this step is stored. The next checkpoint comes within so many seconds of training. */
  | { type: 'checkpoint'; step: number; everySeconds: number }
  | { type: 'state'; state: RunState; share?: number }
  /** Answers that a step was taken on, with their rewards. */
  | { type: 'rollouts'; step: number; rollouts: readonly ShownRollout[] }
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
  /** How many micro-batches of a step went through the model at once, at most. */
  microBatchesTogether: number;
  /** Null without training.fp16. */
  fp16: StoredFp16Check | null;
  /** What computed the products. */
  kernels?: RunKernels;
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

/** Files that were exported. Those of the last export are readable until the next one begins. */
export interface FinishedExport extends ExportResult {
  id: ExportId;
  /** Of the zip, or of the only file. */
  fileName: string;
  bytes: number;
}

/** An adapter trained or opened for the open model; at most one is active. */
export interface LoadedAdapter {
  id: string;
  name: string;
  method: MethodType;
  objective: ObjectiveType;
  /** All of the method's fields. */
  settings: MethodSection;
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

export interface ExampleLosses {
  /** As in Example.row, ascending. */
  rows: number[];
  /** The mean over the targets of each. */
  losses: Float32Array;
  /** The adapter that was active; null for the base. */
  adapter: string | null;
}

/** In nats; NaN where nothing predicts a token. Tokens that are cut off have none. */
export interface TokenLosses {
  row: number;
  base: Float32Array;
  /** Null without an active adapter. */
  tuned: Float32Array | null;
  adapter: string | null;
}

/** What one step of a run takes and does on this device, measured on tensors that are thrown away afterwards. */
export interface TestDrive {
  secondsPerStep: number;
  tokensPerSecond: number;
  /** The most that the GPU held, in bytes. */
  gpuBytes: number;
  /** Before clipping. */
  gradNorm: number;
  /** Whether loss and gradients were finite numbers. */
  finite: boolean;
  /** Of the run's first batch, before and after two steps at the full rate. */
  lossBefore: number;
  lossAfter: number;
  learned: LearnedCounts;
  /** Another division of the same step that is clearly quicker, if there is one that fits. */
  quicker: { batchSize: number; accumulation: number; secondsPerStep: number } | null;
}

/** A range test of the learning rate. */
export interface RateSearch {
  points: RatePoint[];
  /** The loss grew far beyond its lowest, or was no finite number any more. */
  diverged: boolean;
  /** Null if the loss never fell. */
  suggested: { rate: number; steepest: number; lowest: number } | null;
}

export interface RatePoint {
  rate: number;
  loss: number;
  smoothed: number;
}

/** What is tried on the device before a run. It uses the open model, and leaves it and its adapter as they were. */
export interface TrialApi {
  /** `onProgress`: parts done, and parts in all. */
  testDrive(
    recipe: Recipe,
    onProgress: (done: number, total: number) => void,
    signal?: AbortSignal,
  ): Promise<TestDrive>;
  findRate(recipe: Recipe, onPoint: (point: RatePoint) => void, signal?: AbortSignal): Promise<RateSearch>;
}

/** Which kernels compute matrix products on this card. */
export interface KernelsApi {
  keptKernels(): Promise<KeptKernels>;
  /** Times again all that is kept. Throws `cancelled` when the signal fires or a run begins. */
  measureKernels(onProgress: (share: number) => void, signal?: AbortSignal): Promise<KeptKernels>;
  /** Whether runs use what was timed, or the usual kernels. */
  chooseKernels(timed: boolean): Promise<KeptKernels>;
}

/** Datasets are chosen by source, or dropped as a file that is then stored in this browser as `file:NAME`. */
export interface Session extends HubApi, TrialApi, OwnDatasetsApi, KernelsApi {
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
  openDataset(section: DatasetSection, how?: Reading): Promise<ParsedDataset>;
  /** Stores a file as it is, in place of one of the same name, and returns its source. */
  importDataset(file: File): Promise<string>;
  /** Applies the template, tokenises, masks and splits. Needs an open model. Cached until its inputs change. */
  tokenize(recipe: Recipe, onProgress?: (done: number, total: number) => void): Promise<TokenizedDataset>;
  viewTokens(recipe: Recipe, row: number): Promise<TokenView>;
  /** Every example's loss under the active adapter, or else the base. Throws `cancelled` when the signal fires. */
  exampleLosses(recipe: Recipe, onProgress: Progress, signal?: AbortSignal): Promise<ExampleLosses>;
  /** The loss of each token of an example, before and with the active adapter. */
  tokenLosses(recipe: Recipe, row: number): Promise<TokenLosses>;
  /** New texts for a few training examples. Needs an open model: it decides what is held out. */
  augmentPreview(recipe: Recipe, options: AugmentOptions, most: number): Promise<AugmentPreview>;
  /** Stores the dataset with new training examples as one of its own, and returns its source. */
  augmentDataset(recipe: Recipe, options: AugmentOptions, onProgress: Progress, signal?: AbortSignal): Promise<string>;
  /** Groups of nearly equal examples. Throws `cancelled` when the signal fires, as `leaks`. */
  nearDuplicates(section: DatasetSection, onProgress: Progress, signal?: AbortSignal): Promise<NearGroup[]>;
  /** Validation examples whose text or prompt is trained on. Needs an open model. */
  leaks(recipe: Recipe, onProgress: Progress, signal?: AbortSignal): Promise<Leak[]>;

  forecast(recipe: Recipe): Promise<Forecast>;

  /** Starts a run; events go to `subscribe`. Resolves with the run's record once it has ended in any way. */
  train(recipe: Recipe): Promise<RunRecord>;
  /**
   * Resumes an interrupted or paused run from its last checkpoint, or from the beginning if it has none. Rejects with
   * `inputs_changed` if its data or model has changed since, unless they are to be used all the same. Whatever goes wrong
   * before its first step, the run stays as it was. `mended`: rewards in place of those that failed.
   */
  resumeRun(runId: string, changed?: ChangedInputs, mended?: readonly RewardSection[]): Promise<RunRecord>;
  /**
   * What a reward gives for answers; null for a reward that only a run computes. Needs an open model, whose tokens some rewards
   * count.
   */
  tryReward(reward: RewardSection, answers: readonly TriedAnswer[]): Promise<(number | null)[] | null>;
  /** Stores a checkpoint soon, because the page may be about to go. */
  saveRun(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Stops after the current step and keeps what was learned. */
  stop(): Promise<void>;
  subscribe(listener: (event: TrainEvent) => void): () => void;

  runs(): Promise<RunRecord[]>;
  runMetrics(runId: string): Promise<MetricsRow[]>;
  runSamples(runId: string): Promise<SampleAnswer[]>;
  /** Changes what a person says of a run, while it trains too. Returns the record. */
  labelRun(runId: string, change: Partial<RunLabels>): Promise<RunRecord>;
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

  /** Several models at once; its code is loaded when it is first asked for. */
  comparison(): Promise<Comparison>;

  /** A dataset that the open model writes from seed tasks. */
  selfInstruct(): Promise<SelfInstruct>;

  /** Exports what is on the model, for one destination. Throws `cancelled` when the signal fires. */
  exportAs(id: ExportId, job: ExportJob): Promise<FinishedExport>;

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

export interface StorageItem {
  id: string;
  kind: 'dataset' | 'model' | 'run' | 'prompts' | 'draft' | 'votes';
  name: string;
  bytes: number;
  createdAt: number;
  /** When a downloaded model was last opened; null if never. Absent for other kinds. */
  usedAt?: number | null;
  /** Full size of a partly downloaded model. */
  total?: number;
}
