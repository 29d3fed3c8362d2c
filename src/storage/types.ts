/** What the browser keeps between visits. Written from workers and from the page; read by both. */
import type { ErrorData } from '../base/errors';
import type { TaskData } from '../data/types';
import type { Recipe } from '../recipe/types';

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

/** How a classifier did on the held-out examples, class by class. */
export interface ClassReport {
  labels: string[];
  /** [true label][predicted label]; of several labels a text, and of regression, empty. */
  confusion: number[][];
  perClass: { label: string; precision: number; recall: number; f1: number; support: number }[];
}

export interface EvalMetrics {
  kind: 'eval';
  step: number;
  epoch: number;
  eval_loss: number;
  /** Of next or hidden tokens; left out where the loss is none of tokens. */
  perplexity?: number;
  /** Best so far. */
  best: boolean;
  seconds: number;
  /** What the objective measures besides the loss, by scikit-learn's names (accuracy, f1, mse, …); `base_text_loss` is forgetting's. */
  metrics?: Record<string, number>;
  report?: ClassReport;
}
export type MetricsRow = StepMetrics | EvalMetrics;

/** One prompt answered by the base and by the tuned model. */
export interface SampleAnswer {
  step: number;
  prompt: string;
  base: string;
  tuned: string;
  /** How near both come to the example's own answer; left out where it has none. */
  scores?: { base: AnswerScores; tuned: AnswerScores };
}

/** Of an answer that ends after 40 tokens at most. */
export interface AnswerScores {
  /** F1 of ROUGE-L. */
  rouge_l: number;
  /** 1 or 0. */
  exact_match: number;
}

export interface RunRecord {
  id: string;
  name: string;
  createdAt: number;
  updatedAt: number;
  recipe: Recipe;
  status: RunStatus;
  step: number;
  totalSteps: number;
  trainableParameters: number;
  totalParameters: number;
  /** Validation loss before training and the best one since. */
  initialEvalLoss: number | null;
  bestEvalLoss: number | null;
  bestStep: number | null;
  finalLoss: number | null;
  /** Labels of a classification run, without which its head cannot be opened. */
  task?: TaskData | null;
  error: ErrorData | null;
}

/** Named tensors of a checkpoint: `adapter/…`, `adam_m/…`, `adam_v/…`. */
export type CheckpointTensors = Map<string, { shape: number[]; data: Float32Array }>;

export interface CheckpointInfo {
  runId: string;
  /** Optimiser steps done when it was taken. */
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
}
