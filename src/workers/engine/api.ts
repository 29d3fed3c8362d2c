/**
 * What the engine worker does. It reads weights itself (hub/ by source, in the worker), trains, and writes metrics and
 * checkpoints straight to storage/, so that no tensor crosses to the page. It sees no text, only token ids.
 */
import type { TaskData, TokenizedExample } from '../../data/types';
import type { AdapterFiles, AdapterModel } from '../../formats/adapter-format';
import type { ModelSummary } from '../../hub/types';
import type { ModelSection, Recipe } from '../../recipe/types';
import type { DeviceReport, MergedDtype, MergeProgress, RunSummary } from '../../session/api';
import type { MetricsRow, RunRecord } from '../../storage/types';
import type { MergeCheck, MergedFolder } from './check-merged';
import type { MergeReport } from './merge';

export interface TrainJob {
  run: RunRecord;
  recipe: Recipe;
  train: TokenizedExample[];
  validation: TokenizedExample[];
  maxLength: number;
  /** Tokenised prompts that are answered at every evaluation. */
  samplePrompts: Int32Array[];
  stopTokenIds: number[];
  padTokenId: number;
  /** The tokenizer's; null if it has none. */
  maskTokenId: number | null;
  /** Labels of the data, for objectives with a head. */
  task: TaskData | null;
  /** Pieces of dataset.base_text: for replay, EWC and the measure of forgetting. */
  baseText: TokenizedExample[];
  /** The tokens of the method's initial text (prompt and prefix tuning); empty without. */
  initText: Int32Array;
  /** method.init_adapter, already read. */
  initAdapter: AdapterFiles | null;
  /** gradient_checkpointing, with `auto` decided. */
  checkpointing: boolean;
  /** Resume from the run's last checkpoint in storage. */
  resume: boolean;
}

export type EngineEvent =
  | { type: 'started'; run: RunRecord; totalSteps: number; stepsPerEpoch: number; resumedFrom: number }
  | { type: 'metrics'; row: MetricsRow; tokensPerSecond: number; secondsLeft: number }
  | { type: 'samples'; step: number; base: Int32Array[]; tuned: Int32Array[] }
  | { type: 'checkpoint'; step: number }
  | { type: 'state'; state: 'training' | 'evaluating' | 'sampling' | 'saving' | 'paused' };

export interface EngineApi {
  device(): Promise<DeviceReport>;
  /** Frees the previous model first. Throws bad_model, gpu_out_of_memory. */
  loadModel(
    source: string,
    onProgress?: (loaded: number, total: number) => void,
    quantization?: ModelSection['quantization'],
  ): Promise<ModelSummary & { linearModules: string[]; adapterModel: AdapterModel }>;
  /** Resolves when the run ends (completed, stopped, early stopping); rejects when it fails. One run at a time. */
  train(job: TrainJob, onEvent: (event: EngineEvent) => void): Promise<{ run: RunRecord; summary: RunSummary }>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
  /** Puts an adapter on the open model; null takes it off. */
  setAdapter(adapter: AdapterFiles | null): Promise<{ trainableParameters: number }>;
  /** Loads a run's best (else latest) checkpoint as the adapter. */
  openCheckpoint(runId: string, recipe: Recipe): Promise<{ trainableParameters: number }>;
  /** The current adapter, in the layout of its ecosystem. Throws bad_adapter if the method has no separate adapter. */
  exportAdapter(): Promise<{ files: AdapterFiles; notes: string[] }>;
  /** The open model with its adapter merged in, as model.safetensors: its bytes go to `onPiece` in order. */
  mergeModel(
    dtype: MergedDtype,
    onPiece: (bytes: ArrayBuffer) => void,
    onProgress: (progress: MergeProgress) => void,
    signal?: AbortSignal,
  ): Promise<MergeReport>;
  /** Opens the folder that was made of it, and compares what it computes. Throws if that is not what was merged. */
  checkMerged(
    folder: MergedFolder,
    onProgress: (progress: MergeProgress) => void,
    signal?: AbortSignal,
  ): Promise<MergeCheck>;
  /** Streams sampled ids; ends at a stop token (not included), maxNewTokens, the context's end or abort. */
  generate(
    prompt: Int32Array,
    options: {
      maxNewTokens: number;
      temperature: number;
      topP: number;
      seed: number;
      adapterStrength: number;
      stopTokenIds: number[];
    },
    onToken: (id: number) => void,
    signal?: AbortSignal,
  ): Promise<Int32Array>;
  /** Logits [T, vocab] of a text, row-major, for checking against other software. */
  logits(ids: Int32Array, adapterStrength: number): Promise<Float32Array>;
  /** One vector per text, of the model's width. */
  embed(
    texts: Int32Array[],
    options: { mode: 'mean' | 'cls'; normalize: boolean; adapterStrength: number },
  ): Promise<Float32Array[]>;
  /** The head's prediction for a text: a probability per label, or the number itself; [T · labels] for tokens. */
  classify(
    ids: Int32Array,
    adapterStrength: number,
  ): Promise<{ labels: string[]; problemType: TaskData['problemType']; probabilities: Float32Array }>;
  /** Mean negative log-likelihood per token of a text under the base, in nats; its exponential is the perplexity. */
  textLoss(ids: Int32Array): Promise<number>;
  /** For tests of recovery: destroys the GPU device, as a driver reset would. */
  loseDevice(): Promise<void>;
}
