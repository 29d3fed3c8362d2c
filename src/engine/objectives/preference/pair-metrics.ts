/** What every objective on pairs reports, under TRL's names. */
import * as tf from '@tensorflow/tfjs-core';
import type { TargetFigures } from '../tokens';
import { type AnswerTokens, meanOverTokens } from './answers';
import { constant } from './maths';
import type { Sides } from './pair-losses';

/** The two halves of a figure of every row, [2 · pairs]. */
export const sidesOf = (rows: tf.Tensor, pairs: number): Sides<tf.Tensor1D> => ({
  chosen: tf.slice(rows, 0, pairs) as tf.Tensor1D,
  rejected: tf.slice(rows, pairs, pairs) as tf.Tensor1D,
});

export interface PairFigures {
  rewards: Sides;
  /** Of whole answers: sums, or means where the loss compares means. */
  logps: Sides;
  tokens: AnswerTokens;
  figures: TargetFigures;
}

/**
 * Sums over the pairs of a batch, as LossResult has them. Figures of tokens are means over the batch's tokens, which TRL averages
 * over micro-batches: here each counts by its pairs, the same where all have as many.
 */
export function pairMetrics(
  scale: number,
  pairs: number,
  { rewards, logps, tokens, figures }: PairFigures,
): Record<string, tf.Scalar> {
  const summed = (compute: () => tf.Tensor) => constant(() => tf.mul(tf.sum(compute()), scale) as tf.Scalar);
  const overTokens = (figure: tf.Tensor1D, from: number, to: number) =>
    constant(() => tf.mul(meanOverTokens(tokens, figure, from, to), scale * pairs) as tf.Scalar);
  return {
    'rewards/chosen': summed(() => rewards.chosen),
    'rewards/rejected': summed(() => rewards.rejected),
    'rewards/accuracies': summed(() => tf.cast(tf.greater(rewards.chosen, rewards.rejected), 'float32')),
    'rewards/margins': summed(() => tf.sub(rewards.chosen, rewards.rejected)),
    'logps/chosen': summed(() => logps.chosen),
    'logps/rejected': summed(() => logps.rejected),
    'logits/chosen': overTokens(figures.meanLogit, 0, pairs),
    'logits/rejected': overTokens(figures.meanLogit, pairs, 2 * pairs),
    entropy: overTokens(figures.entropy, 0, 2 * pairs),
    mean_token_accuracy: overTokens(figures.hits, 0, pairs),
  };
}
