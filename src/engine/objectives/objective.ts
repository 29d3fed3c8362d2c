/** What every objective offers to the training loop. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Batch, BatchKind, BatchOf } from '../../data/types';
import type { LanguageModel } from '../models/model';
import type { Hooks } from '../types';

export interface LossOptions {
  scale: number;
  withGradient: boolean;
  /** label_smoothing_factor: this share of each target is spread evenly over all classes; none where left out. */
  smoothing?: number;
  /** What an objective draws at random (hidden tokens) is a function of these; zeros where left out, as in evaluation. */
  seed?: number;
  pass?: number;
}

export interface Objective {
  /** The kind of batch that it takes. */
  batches: BatchKind;
  /**
   * scale · summed loss of the batch, as a scalar. The caller chooses scale = 1 / targets of the whole accumulation
   * window, so that every target counts the same whichever micro-batch it is in (as transformers' Trainer has it).
   */
  loss(model: LanguageModel, hooks: Hooks, batch: Batch, options: LossOptions): tf.Scalar;
  /**
   * Where what is learned is drawn: how many targets the batch has in that pass. The loss's mean is over these instead of
   * `Batch.targetCount`.
   */
  targets?(batch: Batch, draw: { seed: number; pass: number }): number;
  /** What metrics are made of: scores of the batch, [B, labels] or [B·T, labels]; left out where the loss says it all. */
  scores?(model: LanguageModel, hooks: Hooks, batch: Batch): tf.Tensor;
}

/** The batch as the kind that an objective takes. */
export function batchAs<K extends BatchKind>(batch: Batch, kind: K): BatchOf<K> {
  if (batch.kind === kind) return batch as BatchOf<K>;
  throw new Error(`The objective takes batches of the kind ${kind}, not ${batch.kind}.`);
}
