/**
 * Diagonal of the empirical Fisher information (Kirkpatrick et al., 2017): the mean over texts of the squared gradients of
 * a text's log-likelihood, in the layout of an optimiser's flat buffers.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { keptZeros } from '../kernels/in-place';
import { accumulateGradients } from '../kernels/optimisers/accumulate';
import { scaleInPlace } from '../kernels/optimisers/scale';
import type { Layout } from './flat-layout';
import { type Gradients, gradientsByPlace } from './optimizer';

export interface FisherSum {
  /** Adds the squared gradients of one text. */
  add(grads: Gradients): void;
  /** The mean over `texts` texts; the caller owns it. */
  finish(texts: number): tf.Tensor;
  dispose(): void;
}

export function createFisher(layout: Layout): FisherSum {
  const sum = keptZeros([layout.size]);
  return {
    add(grads) {
      const given = gradientsByPlace(layout, grads);
      const offsets = [...given.keys()].map((p) => p.offset);
      accumulateGradients(sum, [...given.values()], offsets, 1, true);
    },
    finish(texts) {
      scaleInPlace(sum, 1 / texts);
      return sum;
    },
    dispose: () => sum.dispose(),
  };
}
