/**
 * What the engine worker does. It reads weights itself (hub/ by source, in the worker), trains, and writes metrics and
 * checkpoints straight to storage/, so that no tensor crosses to the page. It sees no text, only token ids.
 */
import type { ErrorData } from '../../base/errors';
import type { Kernels } from '../../base/kernels';
import type { KeptKernels, SeenProducts } from '../../base/product-class';
import type { Part } from '../../data/pieces';
import type { TaskData, TokenizedExample, Turns } from '../../data/types';
import type { BatchAnswer, BatchGenerateOptions } from '../../engine/generation/options';
import type { ModuleChange } from '../../engine/methods/layer-changes';
import type { ShownRollout } from '../../engine/objectives/objective';
import type { Shader } from '../../engine/webgpu/pipelines';
import type { ExportProgress, MergedTensor, ModelLayout, Proof, WrittenModel } from '../../exports/export';
import type { TrainingStart } from '../../exports/trainers/training-data';
import type { AdapterFiles, AdapterModel } from '../../formats/adapter-format';
import type { DroppedFile } from '../../hub/folder';
import type { ModelSummary } from '../../hub/types';
import type { MethodSection } from '../../methods';
import type { ModelSection, ObjectiveSection, Recipe } from '../../recipe/types';
import type { DeviceReport, RatePoint, RateSearch, RunSummary, TestDrive } from '../../session/api';
import type { MetricsRow, RunRecord } from '../../storage/types';
import type { HeldFrom, On } from './held';
import type { ProofTexts } from './prove';
import type { RunState } from './run-state';

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
  /** Adapters that rewards name as `file:`, by their sources. */
  rewardModels?: Readonly<Record<string, AdapterFiles>>;
  /** gradient_checkpointing, with `auto` decided. */
  checkpointing: boolean;
  /** How many micro-batches go through the model at once (StepOptions). */
  together: number;
  /** What there is a choice of kernels for, as the forecast found it; absent without a forecast. */
  products?: readonly SeenProducts[];
  /** What the forecast saw compiled; absent without one. */
  shaders?: readonly Shader[];
  /** Resume from the run's last checkpoint in storage. */
  resume: boolean;
}

/** What of a job decides how its run starts: no examples. */
export type StartJob = Pick<TrainJob, 'recipe' | 'task' | 'initAdapter' | 'initText'>;

/** An answer that the page is asked to score: its prompt as the data have it, and its tokens. */
export interface AnswerToRead {
  row: number;
  prompt: Turns;
  columns: Record<string, unknown>;
  ids: Int32Array;
  finished: boolean;
}

/** What the page says of answers. */
export interface PageScores {
  /** Without special tokens. */
  texts: readonly string[];
  /** [rewards][answers], in the recipe's order; null for a reward that the engine computes. */
  values: readonly (readonly (number | null)[] | null)[];
}

export type EngineEvent =
  | { type: 'started'; run: RunRecord; totalSteps: number; stepsPerEpoch: number; resumedFrom: number }
  | { type: 'metrics'; row: MetricsRow; tokensPerSecond: number; secondsLeft: number }
  | { type: 'samples'; step: number; base: Int32Array[]; tuned: Int32Array[] }
  | { type: 'checkpoint'; step: number; everySeconds: number }
  /** The run waits for `scored` with this id. */
  | { type: 'score'; id: number; answers: AnswerToRead[] }
  /** Answers that the step was taken on, with their rewards. */
  | { type: 'rollouts'; step: number; rollouts: readonly ShownRollout[] }
  | { type: 'state'; state: RunState; share?: number };

/** One of several answers that are written at the same time. */
export interface AnswerJob {
  on: On;
  /** 0 is the base, 1 the adapter as trained. */
  strength: number;
  prompt: Int32Array;
  maxNewTokens: number;
  temperature: number;
  topP: number;
  seed: number;
  stopTokenIds: number[];
}

/** Examples to measure, as a run would on its validation split. */
export interface ExamplesJob {
  examples: TokenizedExample[];
  objective: ObjectiveSection;
  task: TaskData | null;
  /** The tokenizer's; null if it has none. */
  maskTokenId: number | null;
  padTokenId: number;
  /** Of the run, for an objective whose random numbers depend on the batch. */
  batchSize: number;
}

export interface MeasuredExamples {
  /** Mean over all targets, as the training loop reports it. */
  loss: number;
  /** Set if the loss is over tokens. */
  perplexity: number | null;
  /** The mean loss of each example's targets, in order; NaN for one without targets. */
  losses: Float32Array;
  /** The objective's metrics by name; empty if it has none. */
  metrics: Record<string, number>;
}

export interface EngineApi {
  /** Before the device is opened: what computes products, which a resumed run overrides with what it was started with. */
  useKernels(kernels: Kernels): Promise<void>;
  /** What is kept of this card; null before anything was timed. */
  keptKernels(): Promise<KeptKernels>;
  /** Times again all that is kept. Throws `cancelled`, and then everything is as it was. */
  measureKernels(onProgress: (share: number) => void, signal?: AbortSignal): Promise<KeptKernels>;
  /** Whether runs use what was timed, or the usual kernels. */
  chooseKernels(timed: boolean): Promise<KeptKernels>;
  device(): Promise<DeviceReport>;
  /** Frees the previous model first. Throws bad_model, gpu_out_of_memory. */
  loadModel(
    source: string,
    onProgress?: (loaded: number, total: number) => void,
    quantization?: ModelSection['quantization'],
  ): Promise<ModelSummary & { linearModules: string[]; adapterModel: AdapterModel }>;
  /** Examples of the run that starts next, ahead of those in its job. `at` counts them; 0 begins anew. */
  addExamples(at: number, part: Part, examples: TokenizedExample[]): Promise<void>;
  /** Resolves when the run ends (completed, stopped, early stopping); rejects when it fails. One run at a time. */
  train(job: TrainJob, onEvent: (event: EngineEvent) => void): Promise<{ run: RunRecord; summary: RunSummary }>;
  /** Stores a checkpoint after the step under way, unless that would take long and the last one is recent. */
  save(): Promise<void>;
  /** Steps of the run that are thrown away again, measured; the model and its adapter stay. `batchSizes`: tried as well. */
  testDrive(
    job: TrainJob,
    batchSizes: number[],
    onProgress: (done: number, total: number) => void,
    signal?: AbortSignal,
  ): Promise<TestDrive>;
  /** Steps at a growing learning rate, thrown away again; the model and its adapter stay. */
  findRate(job: TrainJob, onPoint: (point: RatePoint) => void, signal?: AbortSignal): Promise<RateSearch>;
  /** What a run trains, before its first step; the model and its adapter stay. Throws as `train` before it starts. */
  startOfRun(job: StartJob): Promise<TrainingStart>;
  /** Answers a `score` event. With an error, the run ends with it. */
  scored(id: number, result: PageScores | ErrorData): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
  /** Puts an adapter on the open model; null takes it off. */
  setAdapter(adapter: AdapterFiles | null): Promise<{ trainableParameters: number; settings: MethodSection | null }>;
  /** Loads a run's best (else latest) checkpoint as the adapter. */
  openCheckpoint(runId: string, recipe: Recipe): ReturnType<EngineApi['setAdapter']>;
  /** What a run left behind (its best checkpoint, else the latest), as files; what is on the model stays. Throws as exportAdapter. */
  runAdapter(runId: string, recipe: Recipe): Promise<AdapterFiles>;
  /** The current adapter, in the layout of its ecosystem. Throws bad_adapter if the method has no separate adapter. */
  exportAdapter(): Promise<{ files: AdapterFiles; notes: string[] }>;
  /** Every tensor of the open model with its adapter merged in, by Hugging Face's names. */
  mergedTensors(): Promise<MergedTensor[]>;
  /** The open model with its adapter merged in, written piece by piece to a scratch file (storage/scratch.ts). */
  writeModel(
    layout: ModelLayout,
    place: { folder: string; name: string },
    onProgress: (progress: ExportProgress) => void,
    signal?: AbortSignal,
  ): Promise<WrittenModel>;
  /** Opens exported files, and compares what they compute. Throws if that is not what was exported. */
  proveModel(
    files: DroppedFile[],
    proof: ProofTexts,
    onProgress: (progress: ExportProgress) => void,
    signal?: AbortSignal,
  ): Promise<Proof>;
  proveAdapter(
    files: AdapterFiles,
    proof: ProofTexts,
    onProgress: (progress: ExportProgress) => void,
    signal?: AbortSignal,
  ): Promise<Proof>;
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
  /**
   * Answers to several prompts at once, which share every pass over the weights. `onToken` gets what each writes as it comes, and
   * `endAnswer` ends one of them; an abort ends all. What was written is what comes back. One call at a time.
   */
  answerTogether(
    prompts: Int32Array[],
    options: BatchGenerateOptions & { adapterStrength: number },
    onToken: (prompt: number, id: number) => void,
    signal?: AbortSignal,
  ): Promise<Pick<BatchAnswer, 'ids' | 'finished'>[]>;
  endAnswer(prompt: number): Promise<void>;
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
  /** The keys of what is held beside the active adapter, to be compared with it. */
  held(): Promise<string[]>;
  /** Frees what is held under other keys than these. */
  release(keep: string[]): Promise<void>;
  /** Opens something to compare under a key. It stays until it is released, or a model is opened, or a run starts. */
  hold(key: string, from: HeldFrom): Promise<void>;
  /**
   * Several answers at once, a token of each in turn; each is what it would be alone. One that fails alone (its prompt is too
   * long) gives its error; an abort ends all and gives the tokens so far.
   */
  answer(
    columns: AnswerJob[],
    onToken: (column: number, id: number) => void,
    signal?: AbortSignal,
  ): Promise<(Int32Array | ErrorData)[]>;
  /** As `classify`, on what is held. */
  classifyOn(on: On, ids: Int32Array, strength: number): ReturnType<EngineApi['classify']>;
  /** Loss and metrics over examples, and the loss of each. Throws `cancelled` when `signal` fires. */
  measureExamples(
    on: On,
    job: ExamplesJob,
    onProgress: (done: number, total: number) => void,
    signal?: AbortSignal,
  ): Promise<MeasuredExamples>;
  /** The loss of each token of a text, in nats; NaN for the first. */
  tokenLosses(on: On, ids: Int32Array): Promise<Float32Array>;
  /** Loss on text like that of the base's training; null for a model that predicts no tokens. Throws `cancelled`. */
  baseTextLoss(
    on: On,
    text: Pick<TrainJob, 'baseText' | 'padTokenId' | 'maskTokenId'>,
    signal?: AbortSignal,
  ): Promise<number | null>;
  /** How far each module's weights were moved; empty for a method that moves none. Throws `cancelled`. */
  layerChanges(
    on: On,
    onProgress: (done: number, total: number) => void,
    signal?: AbortSignal,
  ): Promise<ModuleChange[]>;
  /** For tests of recovery: destroys the GPU device, as a driver reset would. */
  loseDevice(): Promise<void>;
}
