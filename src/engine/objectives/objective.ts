/** What every objective offers to the training loop, and what a pass offers to an objective. */
import type * as tf from '@tensorflow/tfjs-core';
import type { TaskData } from '../../base/task';
import type { Batch, BatchKind, BatchOf, BatchSource, PromptExample } from '../../data/types';
import type { TrainingSection } from '../../recipe/types';
import type { BatchAnswer, BatchGenerateOptions, GenerateOptions } from '../generation/options';
import type { InputRows, MakeFloats, MakeInput } from '../models/input';
import type { LanguageModel, TextInput } from '../models/model';
import type { Hooks } from '../types';
import { current, type Live } from '../webgpu/live';

/** What an objective draws at random (masked tokens, samples) is a function of these two; zeros in evaluation. */
export interface Draw {
  seed: number;
  /** Counts the forward passes of the run (micro-batches). */
  pass: number;
}

/** A model as one side of a pass runs it. */
export interface View {
  model: LanguageModel;
  hooks: Hooks;
  /** Hidden states [B·T, d] of padded rows. */
  hidden(rows: InputRows, states?: TextInput['states']): tf.Tensor;
  /**
   * Int32 inputs (rows, targets) that no other forward pass of this side overwrites before the backward pass has read
   * them.
   */
  ints: MakeInput;
  /** The same of float32 (targets, shares of sums). */
  floats: MakeFloats;
  /** Runs any other computation of this side: what is computed for a reference leaves no tape. */
  run<T extends tf.TensorContainer>(compute: () => T): T;
}

/** One forward pass of an objective over a batch. */
export interface Pass {
  /** The model as it is being trained. */
  policy: View;
  /**
   * The model to compare with: with the adapter off, or with the adapter as it was loaded when the run continues one.
   * No gradient flows into it. Only for objectives with `usesReference`.
   */
  reference(): View;
  /** The model that predicts rewards, as it is being trained. Only for objectives with `usesValue`. */
  value(): View;
  /**
   * 1 / targets of the whole accumulation window, so that every target weighs the same whichever micro-batch it is in
   * (as in transformers' Trainer); 1 in evaluation.
   */
  scale: number;
  /** label_smoothing_factor: this share of each target is spread evenly over all classes. */
  smoothing: number;
  /** False in evaluation. */
  withGradient: boolean;
  draw: Draw;
}

export interface LossResult {
  /** scale · summed loss of the batch. */
  loss: tf.Scalar;
  /** How many targets it is a sum over. */
  targets: number;
  /**
   * Other sums to report by name, scaled like the loss: they become means over the targets of a step or an evaluation.
   */
  metrics: Record<string, tf.Scalar>;
  /**
   * How many some of these are sums over, where that is not the targets: good answers, say. A metric over none in a step or an
   * evaluation is not reported.
   */
  counts?: Record<string, number>;
  /** Scores that evaluation metrics are computed from, [B, labels] or [B·T, labels]; null when the loss says it all. */
  scores: tf.Tensor | null;
}

/** The result of an objective that reports nothing but its loss, and scores if it has some. */
export const lossOnly = (loss: tf.Scalar, targets: Live, scores: tf.Tensor | null = null): LossResult => ({
  loss,
  get targets() {
    return current(targets);
  },
  metrics: {},
  scores,
});

/** What an objective can do before a step. Nothing here is recorded for a gradient, and dropout is off. */
export interface PrepareTools {
  policy: View;
  /** As in Pass. */
  reference(): View;
  value(): View;
  /** Runs a computation and reads its values. */
  read(compute: () => tf.Tensor): Promise<Float32Array>;
  /** The policy's answer to a prompt. */
  generate(prompt: Int32Array, options: GenerateOptions): Promise<Int32Array>;
  /** Answers to several prompts at once, in their order; as `generate`, with the end token that ended an answer kept. */
  generateBatch(prompts: readonly Int32Array[], options: BatchGenerateOptions): Promise<BatchAnswer[]>;
  /** The rewards of answers, from the page and from reward models: see Scores. */
  score(answers: readonly AnswerToScore[]): Promise<Scores>;
  /** The tokens that end an answer, and the one that fills rows. */
  readonly tokens: { stop: readonly number[]; pad: number };
  /** Optimiser steps done before this one. */
  step: number;
  settings: TrainingSection;
  /** Shown on the page and written to metrics.jsonl beside the step's own metrics. */
  report(metrics: Record<string, number>): void;
  /** Answers of this step, for the table of the Train page. */
  show(rollouts: readonly ShownRollout[]): void;
  /** Of the step's first micro-batch. */
  draw: Draw;
  /** True once the run is to stop or pause; what is prepared then is not trained on, and prepared again after a pause. */
  stopped(): boolean;
}

/** An answer of the model that rewards are wanted for. */
export interface AnswerToScore {
  prompt: PromptExample;
  /** Tokens of the answer, its end token included if it wrote one. */
  ids: Int32Array;
  /** It ended by itself, not at the limit of new tokens. */
  finished: boolean;
}

/** Rewards of some answers. A reward that says nothing about an answer is null and left out of its sum. */
export interface Scores {
  /** Of the rewards, in the recipe's order; each distinct. */
  names: readonly string[];
  weights: readonly number[];
  /** [answers][rewards] */
  values: readonly (readonly (number | null)[])[];
  /** The answers as text, as rewards saw them. */
  texts: readonly string[];
}

/** An answer with its rewards, as a person looks at it. */
export interface ShownRollout {
  /** Row of the prompt in the dataset. */
  row: number;
  text: string;
  rewards: Record<string, number | null>;
  /** Weighted sum of the rewards. */
  reward: number;
  advantage: number | null;
  tokens: number;
  finished: boolean;
}

export interface Objective {
  /** The kind of batch that its data come in. */
  batches: BatchKind;
  /** Set when its loss is the negative log-likelihood of tokens, whose exponential is the perplexity. */
  likelihood?: true;
  /** Set when it calls `reference()`. A run that continues an adapter then keeps a copy of it. */
  usesReference?: true;
  /** Set when it calls `value()`: a model with one score as its head is trained beside the policy. */
  usesValue?: true;
  /**
   * Whatever of the pass and the batch is read at once decides what is done; what is only passed on to the GPU is better read in
   * functions, so that the work can be replayed for other values (webgpu/live.ts).
   */
  loss(pass: Pass, batch: Batch): LossResult;
  /** How many targets a batch has, when that depends on the draw. Left out: `Batch.targetCount`. */
  targets?(batch: Batch, draw: Draw): number;
  /** Runs before the first step of a run, and again whenever it is resumed, after `restore`. */
  before?(tools: PrepareTools, run: RunAhead): Promise<void>;
  /**
   * Runs before a step, and gives the batches that the step is taken on. It may generate with the policy, read values
   * from the GPU and wait for anything else.
   */
  prepare?(tools: PrepareTools, batches: Batch[]): Promise<Batch[]>;
  /**
   * What a run needs to know of the objective to be resumed between two steps: plain JSON. Answers that are used for several
   * steps are in it. Undefined when there is nothing. `next`: optimiser steps done so far.
   */
  state?(next: number): unknown;
  /** Gives back what `state` returned, before the first step after resuming. */
  restore?(state: unknown): void;
  /** Evaluates in place of the mean loss over the held-out batches: answers the prompts and scores them, say. */
  evaluate?(tools: PrepareTools, batches: Batch[]): Promise<ObjectiveEvaluation | null>;
}

/** What lies ahead of a run. */
export interface RunAhead {
  source: BatchSource;
  /** Steps after which every example has been seen, or fewer if the run ends before. */
  steps: number;
  /** The share that is done, for the screen. */
  progress(share: number): void;
}

/** `loss` decides which checkpoint is best, the lowest: an objective with rewards gives their negated mean. */
export interface ObjectiveEvaluation {
  loss: number;
  metrics: Record<string, number>;
}

export interface ObjectiveInfo {
  /** The tokenizer's; null if it has none. */
  maskTokenId: number | null;
  vocabSize: number;
  /** The labels of the data; null without any. */
  task: TaskData | null;
}

/** The engine's half of an objective; the other half is its descriptor in src/objectives. */
export interface ObjectiveTwin<S extends { type: string }> {
  type: S['type'];
  /** Throws when the tokenizer or the data lack what the objective needs. */
  create(section: S, info: ObjectiveInfo): Objective;
}

/** The batch as the kind that an objective takes. */
export function batchAs<K extends BatchKind>(batch: Batch, kind: K): BatchOf<K> {
  if (batch.kind === kind) return batch as BatchOf<K>;
  throw new Error(`The objective takes batches of the kind ${kind}, not ${batch.kind}.`);
}
