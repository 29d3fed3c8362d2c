/** Data kept between visits. Workers and the page both read and write it. */
import type { ErrorData } from '../base/errors';
import type { Fp16Check } from '../base/fp16';
import type { Family, Kernels } from '../base/kernels';
import type { TaskData } from '../data/types';
import type { ClassReport } from '../metrics/report';
import type { Recipe } from '../recipe/types';

export type { ClassReport };

export type RunStatus = 'running' | 'paused' | 'interrupted' | 'completed' | 'stopped' | 'early_stopped' | 'failed';

export interface StepMetrics {
  kind: 'step';
  step: number;
  epoch: number;
  loss: number;
  grad_norm: number;
  learning_rate: number;
  /** Tokens processed so far, padding excluded. */
  tokens: number;
  /** Seconds of training so far. */
  seconds: number;
  gpu_bytes: number;
  /** What the objective reports besides its loss; left out when it reports nothing. */
  metrics?: Record<string, number>;
}

export interface EvalMetrics {
  kind: 'eval';
  step: number;
  epoch: number;
  eval_loss: number;
  /** Present only if the loss is over tokens (next or masked). */
  perplexity?: number;
  /** Best so far. */
  best: boolean;
  seconds: number;
  /** The objective's metrics, with scikit-learn's names (accuracy, f1, …). `base_text_loss` measures forgetting. */
  metrics?: Record<string, number>;
  report?: ClassReport;
}
export type MetricsRow = StepMetrics | EvalMetrics;

/** One prompt answered by the base model and by the fine-tuned model. */
export interface SampleAnswer {
  step: number;
  prompt: string;
  base: string;
  tuned: string;
  /** How close both are to the example's answer; absent if it has none. */
  scores?: { base: AnswerScores; tuned: AnswerScores };
}

/** Scores of an answer, which is cut off after 40 tokens. */
export interface AnswerScores {
  /** F1 of ROUGE-L. */
  rouge_l: number;
  /** 1 or 0. */
  exact_match: number;
}

/** The content of a file or folder, whatever it is called. */
export interface InputFingerprint {
  sha256: string;
  bytes: number;
}

/** What a run learns from and on. */
export interface RunInputs {
  model: InputFingerprint;
  dataset: InputFingerprint;
  /** dataset.base_text and method.init_adapter; null without. */
  baseText: InputFingerprint | null;
  initAdapter: InputFingerprint | null;
  /** The tokens and targets made of the data: another version of Tabtune may read the same file in another way. */
  examples: InputFingerprint;
}

/** What computes a run's products. */
export interface RunKernels {
  asked: Kernels;
  /** With `auto`: what was timed to be best for a class of products, where that is not the default. */
  chosen: Readonly<Record<string, Family>>;
}

/** A run that was resumed with other inputs, on purpose. */
export interface InputsChange {
  /** The step after which they changed. */
  step: number;
  what: (keyof RunInputs | 'rewards')[];
}

/** Older records do not say how many products were compared. */
export type StoredFp16Check = Omit<Fp16Check, 'products'> & Partial<Pick<Fp16Check, 'products'>>;

/** What a person says of a run. Training never changes it, and any tab may, at any time. */
export interface RunLabels {
  name: string;
  tags?: string[];
  /** Listed before the others. */
  pinned?: boolean;
  note?: string;
}

export interface RunRecord extends RunLabels {
  id: string;
  createdAt: number;
  updatedAt: number;
  recipe: Recipe;
  status: RunStatus;
  step: number;
  /** The step of the newest checkpoint, from which the run resumes; absent before the first, and from older records. */
  savedStep?: number;
  totalSteps: number;
  trainableParameters: number;
  totalParameters: number;
  /** Validation loss before training, and the best since then. */
  initialEvalLoss: number | null;
  bestEvalLoss: number | null;
  bestStep: number | null;
  finalLoss: number | null;
  /** Seconds of training so far. Absent from runs of older versions, like the metrics below. */
  seconds?: number;
  /** What the objective measured besides the loss, at the best step. */
  bestMetrics?: Record<string, number>;
  /** The labels of a classification run, which are needed to open its head. */
  task?: TaskData | null;
  /** How its file was read: what was detected, which columns were used and which were not. Absent in old runs. */
  data?: { detected: string; usage: string; rows: number; examples: number; notes?: string[] };
  /** The limit that an automatic max_length came to; a resumed run keeps it. */
  maxLength?: number;
  /** How many micro-batches of a step go through the model at once, which decides dropout's masks; 1 in older runs. */
  together?: number;
  /** Of runs with training.fp16; a resumed run keeps to it. */
  fp16?: StoredFp16Check;
  /** Decides the last digits of sums; a resumed run keeps it. Absent from runs of older versions. */
  kernels?: RunKernels;
  /** Absent from runs of older versions. */
  inputs?: RunInputs;
  changes?: InputsChange[];
  error: ErrorData | null;
}

/** Named tensors of a checkpoint: `adapter/…`, `adam_m/…`, `adam_v/…`. */
export type CheckpointTensors = Map<string, { shape: number[]; data: Float32Array }>;

export interface CheckpointInfo {
  runId: string;
  /** Optimiser steps completed. */
  step: number;
  /** Trainer state that is not a tensor: best loss, patience used, tokens, seconds. Plain JSON. */
  state: Record<string, unknown>;
  createdAt: number;
}

export interface StoredFile {
  /** Primary key, e.g. `dataset/replies.csv`. */
  id: string;
  name: string;
  size: number;
  createdAt: number;
  /** What was found in it, for lists; absent until it has been opened. */
  facts?: FileFacts;
}

export interface FileFacts {
  /** When the person added it; `createdAt` is when it was last written. */
  addedAt?: number;
  examples?: number;
  /** The fields of the recipe with which it was last read. */
  reading?: Record<string, unknown>;
}
