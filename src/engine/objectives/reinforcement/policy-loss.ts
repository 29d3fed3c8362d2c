/**
 * The losses of GRPO and its kin on one micro-batch of answers, as TRL 1.16.0's GRPOTrainer has them:
 *
 *   ρ = exp(lp − old)        a token's, or the row's geometric mean under `sequence`
 *   ℓ = −min(ρ·A, clip(ρ, 1 − ε, 1 + ε_high)·A) + β·k3·ρ
 *
 * and the loss type says how the ℓ of tokens become one number. Every one of them is a weighted sum over tokens.
 */
import * as tf from '@tensorflow/tfjs-core';
import { withoutTape } from '../../kernels/tape';
import { type AnswerTokens, rowSums, spread, tokenMean } from './answer-tokens';

export interface PolicyLossOptions {
  loss_type: 'dapo' | 'grpo' | 'bnpo' | 'dr_grpo' | 'cispo' | 'luspo' | 'sapo';
  importance_sampling_level: 'token' | 'sequence';
  epsilon: number;
  /** 0: as epsilon. */
  epsilon_high: number;
  /** Caps the ratio in the first term of the minimum; 0: no cap. */
  delta: number;
  beta: number;
  use_bias_correction_kl: boolean;
  max_completion_length: number;
}

/** What is known about the tokens of the list; entries on padding do not matter. */
export interface PolicyLossInputs {
  /** Of the policy that is trained, on the tape. */
  logProbs: tf.Tensor;
  /** Of the policy that answered; null where that is the one being trained, and ρ is 1. */
  old: Float32Array | null;
  /** Needed unless beta is 0. */
  reference: Float32Array | null;
  /** Of each token. */
  advantages: Float32Array;
  /** Tokens of a step's answers for each of its micro-batches: what dapo and cispo divide by. */
  tokensPerBatch: number;
}

export interface PolicyLoss {
  /** As if this micro-batch were the only one of the step. */
  loss: tf.Scalar;
  /** Under TRL's names. */
  metrics: Record<string, tf.Scalar>;
}

/** SAPO's, for advantages above 0 and for others. */
const SAPO_TEMPERATURES = [1, 1.05] as const;

const detached = (x: tf.Tensor): tf.Tensor => withoutTape(() => x.clone());
const asNumber = (x: tf.Tensor) => tf.cast(x, 'float32');

export function policyLoss(tokens: AnswerTokens, inputs: PolicyLossInputs, options: PolicyLossOptions): PolicyLoss {
  const { logProbs, old, reference } = inputs;
  const { beta, loss_type: type, epsilon, delta } = options;
  const high = options.epsilon_high || epsilon;
  const advantages = tf.tensor1d(inputs.advantages);
  const logRatio = tf.sub(logProbs, old ? tf.tensor1d(old) : detached(logProbs));
  const bySequence = options.importance_sampling_level === 'sequence';
  const ratio = tf.exp(bySequence ? sequenceMeans(tokens, logRatio) : logRatio);

  let losses: tf.Tensor;
  const clipped = type !== 'cispo' && type !== 'sapo';
  if (type === 'cispo') {
    losses = tf.neg(tf.mul(tf.mul(detached(tf.minimum(ratio, high)), advantages), logProbs));
  } else if (type === 'sapo') {
    const [above, below] = SAPO_TEMPERATURES;
    const temperature = tf.tensor1d(inputs.advantages.map((a) => (a > 0 ? above : below)));
    const gate = tf.div(tf.mul(tf.sigmoid(tf.mul(temperature, tf.sub(ratio, 1))), 4), temperature);
    losses = tf.neg(tf.mul(gate, advantages));
  } else {
    const first = delta > 0 ? tf.minimum(ratio, delta) : ratio;
    const second = tf.clipByValue(ratio, 1 - epsilon, 1 + high);
    losses = tf.neg(tf.minimum(tf.mul(first, advantages), tf.mul(second, advantages)));
  }

  const metrics: PolicyLoss['metrics'] = {};
  if (beta !== 0) {
    if (!reference) throw new Error('A penalty on the distance from the reference needs its log-probabilities.');
    const distance = tf.sub(tf.tensor1d(reference), logProbs);
    const k3 = tf.sub(tf.sub(tf.exp(distance), distance), 1);
    const kl = options.use_bias_correction_kl ? tf.mul(k3, ratio) : k3;
    losses = tf.add(losses, tf.mul(kl, beta));
    metrics.kl = tokenMean(tokens, kl);
  }
  const limits = { epsilon, high };
  if (clipped) {
    // TRL counts after the cap.
    const counted = delta > 0 ? tf.minimum(ratio, delta) : ratio;
    Object.assign(metrics, clipRatios(tokens, counted, advantages, limits, bySequence));
  } else if (type === 'cispo') {
    const over = tf.logicalAnd(tf.greater(ratio, high), tf.greater(advantages, 0));
    metrics.cispo_clip_ratio = (bySequence ? sequenceMean : tokenMean)(tokens, asNumber(over));
  }
  const weights = tf.tensor1d(tokenWeights(tokens, inputs.tokensPerBatch, options));
  return { loss: tf.sum(tf.mul(losses, weights)), metrics };
}

/** exp of it is the geometric mean of a row's ratios (GSPO), here for each token of the row. */
function sequenceMeans(tokens: AnswerTokens, logRatio: tf.Tensor): tf.Tensor {
  const shares = tf.tensor1d(Float32Array.from(tokens.lengths, (n) => 1 / Math.max(1, n)));
  return spread(tokens, tf.mul(rowSums(tokens, logRatio), shares));
}

/** The mean over rows of a value that all tokens of a row share. A row without tokens counts as 0. */
function sequenceMean(tokens: AnswerTokens, values: tf.Tensor): tf.Scalar {
  return tf.mean(rowMeans(tokens, values));
}

const rowMeans = (tokens: AnswerTokens, values: tf.Tensor) =>
  tf.mul(rowSums(tokens, values), tf.tensor1d(Float32Array.from(tokens.lengths, (n) => 1 / Math.max(1, n))));

/** How often the ratio was beyond its limit where that stops the gradient. */
function clipRatios(
  tokens: AnswerTokens,
  ratio: tf.Tensor,
  advantages: tf.Tensor,
  { epsilon, high }: { epsilon: number; high: number },
  bySequence: boolean,
): PolicyLoss['metrics'] {
  const low = asNumber(tf.logicalAnd(tf.less(ratio, 1 - epsilon), tf.less(advantages, 0)));
  const above = asNumber(tf.logicalAnd(tf.greater(ratio, 1 + high), tf.greater(advantages, 0)));
  const average = bySequence ? sequenceMean : tokenMean;
  return {
    'clip_ratio/low_mean': average(tokens, low),
    'clip_ratio/low_min': overRows(tokens, low, 'min'),
    'clip_ratio/high_mean': average(tokens, above),
    'clip_ratio/high_max': overRows(tokens, above, 'max'),
    'clip_ratio/region_mean': average(tokens, tf.add(low, above)),
  };
}

/** The least or greatest mean of a row that has tokens; 0 without any. */
function overRows(tokens: AnswerTokens, values: tf.Tensor, which: 'min' | 'max'): tf.Scalar {
  const filled = [...tokens.lengths].flatMap((n, row) => (n > 0 ? [row] : []));
  if (filled.length === 0) return tf.scalar(0);
  const means = tf.gather(rowMeans(tokens, values), tf.tensor1d(filled, 'int32'));
  return which === 'min' ? tf.min(means) : tf.max(means);
}

/** What the loss type weighs each token's ℓ with. */
function tokenWeights(
  { rowOf, rows, lengths, count }: AnswerTokens,
  tokensPerBatch: number,
  { loss_type, max_completion_length }: Pick<PolicyLossOptions, 'loss_type' | 'max_completion_length'>,
): Float32Array {
  const weightOf = (row: number): number => {
    switch (loss_type) {
      case 'grpo':
      case 'sapo':
        return 1 / (rows * lengths[row]!);
      case 'bnpo':
        return 1 / count;
      case 'dr_grpo':
        return 1 / (rows * max_completion_length);
      case 'dapo':
      case 'cispo':
        return 1 / tokensPerBatch;
      case 'luspo':
        return 1 / rows;
    }
  };
  return Float32Array.from(rowOf, (row) => (row < 0 ? 0 : weightOf(row)));
}

/** RLOO's: an answer's log-probability is one number, and so is its ratio. logProbs [rows]. */
export function sequenceLoss(
  logProbs: tf.Tensor,
  given: { old: Float32Array; advantages: Float32Array },
  { epsilon, epsilon_high }: Pick<PolicyLossOptions, 'epsilon' | 'epsilon_high'>,
): PolicyLoss {
  const high = epsilon_high || epsilon;
  const advantages = tf.tensor1d(given.advantages);
  const ratio = tf.exp(tf.sub(logProbs, tf.tensor1d(given.old)));
  const second = tf.clipByValue(ratio, 1 - epsilon, 1 + high);
  const losses = tf.neg(tf.minimum(tf.mul(ratio, advantages), tf.mul(second, advantages)));
  const low = asNumber(tf.logicalAnd(tf.less(ratio, 1 - epsilon), tf.less(advantages, 0)));
  const above = asNumber(tf.logicalAnd(tf.greater(ratio, 1 + high), tf.greater(advantages, 0)));
  return {
    loss: tf.mean(losses),
    metrics: {
      'clip_ratio/low_mean': tf.mean(low),
      'clip_ratio/low_min': tf.min(low),
      'clip_ratio/high_mean': tf.mean(above),
      'clip_ratio/high_max': tf.max(above),
      'clip_ratio/region_mean': tf.mean(tf.add(low, above)),
    },
  };
}
