/** The loss and figures of a micro-batch of answers, which count as one target: what a step divides by is in the loss already. */
import * as tf from '@tensorflow/tfjs-core';
import type { LossResult, Pass } from '../objective';

export function ofMicroBatch(
  { scale }: Pick<Pass, 'scale'>,
  loss: tf.Scalar,
  metrics: Record<string, tf.Scalar>,
): LossResult {
  const scaled = (x: tf.Tensor) => tf.mul(x, scale) as tf.Scalar;
  return {
    loss: scaled(loss),
    targets: 1,
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, scaled(value)])),
    scores: null,
  };
}
