/** What every fine-tuning method offers to the training loop, to generation and to files. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Hooks, LinearModule } from '../types';

export interface CallContext {
  /** Dropout is on only in training. */
  training: boolean;
  seed: number;
  /** Counts forward passes of the run (micro-batches), so that a resumed run draws the same masks. */
  pass: number;
  /** 0 switches the method off, 1 is as trained; between and beyond scales it. */
  strength: number;
}

export const inference = (strength = 1): CallContext => ({ training: false, seed: 0, pass: 0, strength });

export interface Method {
  /** Trainable tensors by name, in a fixed order; all float32. */
  trainable: Map<string, tf.Tensor>;
  hooks(context: CallContext): Hooks;
  /**
   * What merging at full strength adds to a linear's weight, [out, in]; null where the method leaves it alone. The caller
   * disposes it.
   */
  delta(module: LinearModule): tf.Tensor | null;
  dispose(): void;
}
