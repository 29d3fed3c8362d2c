/** What every objective offers to the training loop. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../../data/types';
import type { LanguageModel } from '../models/model';
import type { Hooks } from '../types';

export interface Objective {
  /**
   * scale · summed loss of the batch, as a scalar. The caller chooses scale = 1 / targets of the whole accumulation
   * window, so that every token counts the same whichever micro-batch it is in (as transformers' Trainer has it).
   */
  loss(model: LanguageModel, hooks: Hooks, batch: Batch, options: { scale: number; withGradient: boolean }): tf.Scalar;
}
