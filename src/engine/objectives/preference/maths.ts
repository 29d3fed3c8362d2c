/** Differentiable functions that preference losses are made of. */
import * as tf from '@tensorflow/tfjs-core';
import { withoutTape } from '../../kernels/tape';

/** log σ(x), without overflow on either side. */
export const logSigmoid = (x: tf.Tensor): tf.Tensor => tf.neg(tf.softplus(tf.neg(x)));

/** A factor that no gradient flows through: of another tensor's values. */
export const constant = <T extends tf.Tensor>(compute: () => T): T => withoutTape(compute);

/**
 * The values in ascending order, [N] -> [N]; equal ones keep theirs. As a product with a permutation, through which the gradient
 * goes back to where each value was.
 */
export function sorted(x: tf.Tensor): tf.Tensor {
  const n = x.size;
  const permutation = constant(() => {
    const [row, column] = [tf.reshape(x, [n, 1]), tf.reshape(x, [1, n])];
    const earlier = tf.tensor2d(
      Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(j < i))),
    );
    const before = tf.logicalOr(
      tf.greater(row, column),
      tf.logicalAnd(tf.equal(row, column), tf.cast(earlier, 'bool')),
    );
    const ranks = tf.sum(tf.cast(before, 'float32'), 1);
    return tf.cast(tf.equal(tf.reshape(tf.range(0, n), [n, 1]), tf.reshape(ranks, [1, n])), 'float32');
  });
  return tf.reshape(tf.matMul(permutation as tf.Tensor2D, tf.reshape(x, [n, 1])), [n]);
}

/** The least distance from 0 that a mean log-probability is taken to have: certainty has infinite odds. */
const LEAST = 1e-6;

/**
 * log(1 − e^x) for x < 0, from whichever form keeps its digits (Mächler, 2012). A text that the model is certain of has x = 0 and
 * infinite odds: x is then taken as just below 0, where no gradient follows.
 */
export function log1mexp(x: tf.Tensor): tf.Tensor {
  const below = tf.minimum(x, -LEAST);
  const near = constant(() => tf.greater(below, -Math.LN2));
  // Each form gets an argument that suits it where the other is taken: gradients of both are computed everywhere.
  const [small, large] = [tf.maximum(below, -Math.LN2), tf.minimum(below, -Math.LN2)];
  return tf.where(near, tf.log(tf.neg(tf.expm1(small))), tf.log1p(tf.neg(tf.exp(large))));
}
