/**
 * PPO's losses on one micro-batch, as TRL 1.12.0 has them:
 *
 *   policy  mean over tokens of max(−A·ρ, −A·clip(ρ, 1 ± cliprange))
 *   value   ½ · mean over values of max((v − R)², (clip(v, v_old ± cliprange_value) − R)²)
 */
import * as tf from '@tensorflow/tfjs-core';
import { type AnswerTokens, tokenMean } from './answer-tokens';
import type { PolicyLoss } from './policy-loss';

export interface PpoLossOptions {
  cliprange: number;
  cliprange_value: number;
  vf_coef: number;
}

export interface PpoTokens {
  tokens: AnswerTokens;
  logProbs: tf.Tensor;
  /** Of each token of the list. */
  old: Float32Array;
  advantages: Float32Array;
}

export interface PpoValues {
  /** All values of the micro-batch, padded, and how many of them there are. */
  values: tf.Tensor;
  count: number;
  old: Float32Array;
  returns: Float32Array;
}

/** `places`: rows × columns of the turn's answers, over which TRL's means of some figures go, padding included. */
export function ppoLoss(
  { tokens, logProbs, old, advantages }: PpoTokens,
  given: PpoValues,
  places: number,
  { cliprange, cliprange_value, vf_coef }: PpoLossOptions,
): PolicyLoss {
  const difference = tf.sub(logProbs, tf.tensor1d(old));
  const ratio = tf.exp(difference);
  const against = tf.neg(tf.tensor1d(advantages));
  const free = tf.mul(against, ratio);
  const held = tf.mul(against, tf.clipByValue(ratio, 1 - cliprange, 1 + cliprange));
  const policy = tokenMean(tokens, tf.maximum(free, held));

  const mask = tf.tensor1d(
    Float32Array.from(given.old, (_, i) => (i < given.count ? 1 / Math.max(1, given.count) : 0)),
  );
  const meanOf = (x: tf.Tensor) => tf.sum(tf.mul(x, mask)) as tf.Scalar;
  const before = tf.tensor1d(given.old);
  const returns = tf.tensor1d(given.returns);
  const near = tf.minimum(tf.maximum(given.values, tf.sub(before, cliprange_value)), tf.add(before, cliprange_value));
  const [free2, held2] = [tf.square(tf.sub(given.values, returns)), tf.square(tf.sub(near, returns))];
  const value = tf.mul(meanOf(tf.maximum(free2, held2)), 0.5);

  const asNumber = (x: tf.Tensor) => tf.cast(x, 'float32');
  // Padding has no difference, and the ratio 1.
  const shared = (x: tf.Tensor) => tf.mul(tokenMean(tokens, x), tokens.count / Math.max(1, places));
  return {
    loss: tf.add(policy, tf.mul(value, vf_coef)),
    metrics: {
      'policy/approxkl_avg': tf.mul<tf.Scalar>(shared(tf.square(difference)), 0.5),
      'policy/clipfrac_avg': tokenMean(tokens, asNumber(tf.greater(held, free))),
      'loss/policy_avg': policy,
      'loss/value_avg': value as tf.Scalar,
      'val/clipfrac_avg': meanOf(asNumber(tf.greater(held2, free2))),
      'val/ratio': tf.add<tf.Scalar>(shared(tf.sub(ratio, 1)), 1),
    },
  };
}
