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
  /**
   * Trainable tensors by name, in a fixed order; all float32. A tensor that stands in for one of the checkpoint's goes by that
   * one's name; what a method adds goes by PEFT's or AdapterHub's, without their prefix.
   */
  trainable: Map<string, tf.Tensor>;
  /** Tensors that do not learn but belong to a checkpoint beside the trainable ones (what PiSSA began with), by name. */
  constants?: Map<string, tf.Tensor>;
  /** How fast a tensor learns beside the others (LoRA+, discriminative rates); 1 where left out. */
  rate?(name: string): number;
  /** Which tensors learn at a step, of so many (gradual unfreezing); all of them where left out. */
  active?(name: string, step: number, totalSteps: number): boolean;
  hooks(context: CallContext): Hooks;
  /**
   * What merging at full strength adds to a linear's weight, [out, in]; null where the method leaves it alone. The caller
   * disposes it.
   */
  delta(module: LinearModule): tf.Tensor | null;
  /** What merging adds to a linear's bias, [out]; null or left out where the method leaves it alone. The caller disposes it. */
  biasDelta?(module: LinearModule): tf.Tensor | null;
  /** Trained forms of the checkpoint's own tensors, by its names: what a model folder is written with. */
  opened?: Map<string, tf.Tensor>;
  /**
   * What an adapter's file holds, where that is other than the trainable tensors: PEFT keeps of a network that makes virtual
   * tokens only what comes out of it. The caller disposes them. A checkpoint of a run holds `trainable` all the same.
   */
  saved?(): Map<string, tf.Tensor>;
  dispose(): void;
}
