/** What another trainer needs to make the same run: the rows in the order in which they are taken, and the start. */
import type { TaskData } from '../../base/task';
import type { Example, TokenizedExample } from '../../data/types';
import type { WrittenRows } from '../../data/written-row';
import type { AdapterFiles, AdapterTensors } from '../../formats/adapter-format';
import type { Recipe } from '../../recipe/types';

export interface TrainingData {
  /** As the run has it: an adapter that it continues has decided rank, targets and virtual tokens. */
  recipe: Recipe;
  train: readonly TokenizedExample[];
  validation: readonly TokenizedExample[];
  /** Pieces of base text that replace a share of the rows (training.replay_ratio); empty without. */
  replayed: readonly TokenizedExample[];
  /** Labels of the data; null without a head. */
  task: TaskData | null;
  /** The resolved limit, in tokens. */
  maxLength: number;
  /** `mask` is null where the tokenizer has none. */
  tokens: { pad: number; mask: number | null; stop: readonly number[] };
  /** Optimiser steps of the run, and of an epoch. */
  steps: number;
  stepsPerEpoch: number;
  /** The micro-batches of a step, from 0: indices of `train`, and from `train.length` on of `replayed`. */
  microBatches(step: number): number[][];
  /** The length to which a micro-batch of these rows is padded, by which masks are drawn. */
  paddedLength(rows: readonly TokenizedExample[]): number;
  /** The rows of both sides before they are tokenised, for trainers that do that themselves. */
  written(): Promise<WrittenRows>;
  /** The example that tokens with this `row` were made of, as read from the file; null if there is none. */
  example(row: number): Example | null;
  /** Engine work, so it is asked for when it is needed. Throws bad_model, bad_adapter, gpu_out_of_memory. */
  start(): Promise<TrainingStart>;
}

/** What is trained, before the first step. */
export interface TrainingStart {
  /**
   * In the layout of its own ecosystem, with scales as the method's settings have them: nothing is folded into weights, and
   * what PiSSA freezes is left out. Null for methods that train the model itself.
   */
  adapter: AdapterFiles | null;
  /**
   * Trained tensors that `adapter` has no place for: the network that makes virtual tokens, under PEFT's names without the
   * adapter's; or a new head on a model that is trained itself, under transformers' names.
   */
  tensors: AdapterTensors;
}
