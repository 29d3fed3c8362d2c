/** What the tape (tape.ts) may leave out of a record, beyond what tfjs's own says of a kernel. */
import type * as tf from '@tensorflow/tfjs-core';

export interface Making {
  kernelName: string;
  attrs: tf.NamedAttrMap;
  /** The names of the kernel's inputs, in the order in which they are saved. */
  inputNames: string[];
  /** The first output is cheap to compute again from the inputs. */
  cheap: boolean;
  /** Inputs of which the gradient reads the shape alone. */
  shapesOnly: readonly string[];
}

/** By the first output of the kernel's call. */
export const makings = new WeakMap<tf.Tensor, Making>();
