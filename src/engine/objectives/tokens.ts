/**
 * What the objectives that predict tokens share: rows of hidden states, what each predicts, and the language-modelling
 * head.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { PaddedRows } from '../../data/types';
import { linearCrossEntropy } from '../kernels/losses/cross-entropy';
import { tokenLogProbs } from '../kernels/losses/token-log-probs';
import { takeRows } from '../kernels/moves/row-moves';
import { withoutTape } from '../kernels/tape';
import { requireHead } from '../models/heads';
import { current, decided, madeOnce } from '../webgpu/live';
import type { Pass, View } from './objective';

export interface Targets {
  /** Indices of rows of the flattened hidden states, and what each predicts; padded with -1. */
  rows: Int32Array;
  targets: Int32Array;
}

/** The same, made anew from other values whenever the work is replayed; how many rows there are decides what is done. */
export interface LiveTargets {
  count: number;
  rows: () => Int32Array;
  targets: () => Int32Array;
}

export function liveTargets(make: () => Targets): LiveTargets {
  const made = madeOnce(make);
  return { count: decided(() => made().rows.length), rows: () => made().rows, targets: () => made().targets };
}

/** Pads to a quarter of the batch's tokens, so that few distinct shapes occur. */
export function padTargets(
  { batchSize, length }: Pick<PaddedRows, 'batchSize' | 'length'>,
  pairs: [number, number][],
): Targets {
  const bucket = Math.max(8, Math.ceil((batchSize * length) / 4 / 8) * 8);
  const padded = Math.max(bucket, Math.ceil(pairs.length / bucket) * bucket);
  const column = (c: 0 | 1) => Int32Array.from({ length: padded }, (_, i) => pairs[i]?.[c] ?? -1);
  return { rows: column(0), targets: column(1) };
}

/** What the kernels of a head's logits take, for some rows of the hidden states [B·T, d]. */
function headInputs({ model, hooks, ints }: View, hidden: tf.Tensor, given: Targets | LiveTargets) {
  const { rows, targets } = given;
  const count = 'count' in given ? given.count : given.rows.length;
  const head = requireHead(model, 'lm');
  const weight = hooks.weight?.(head.weight) ?? head.weight;
  const bias = head.bias && (hooks.vector?.(head.bias) ?? head.bias);
  const at = ints('rows', rows, [count]);
  // What precedes the projection is computed only for the rows that predict something.
  const x = head.transform ? head.transform(takeRows(hidden, at), hooks) : hidden;
  const own = () => current(rows).map((row, i) => (row < 0 ? -1 : i));
  return {
    x,
    weight,
    rows: head.transform ? ints('target_rows', own, [count]) : at,
    targets: ints('targets', targets, [count]),
    // A stand-in is what a method trains.
    options: { bias, softcap: head.softcap, trainsWeight: weight !== head.weight, trainsBias: bias !== head.bias },
  };
}

/** scale · summed cross-entropy of the policy's logits at the target rows, as the result of the pass. hidden [B·T, d]. */
export function headLoss(pass: Pass, hidden: tf.Tensor, given: Targets | LiveTargets): tf.Scalar {
  const { withGradient, smoothing } = pass;
  const { x, weight, rows, targets, options } = headInputs(pass.policy, hidden, given);
  return linearCrossEntropy(x, weight, rows, targets, {
    ...options,
    scale: () => pass.scale,
    withGradient,
    smoothing,
    isResult: true,
    trainsWeight: withGradient && options.trainsWeight,
    trainsBias: withGradient && options.trainsBias,
  });
}

/** Log-probability that one side of a pass gives each target, [R]; 0 on padding. hidden [B·T, d]. */
export function targetLogProbs(
  view: View,
  hidden: tf.Tensor,
  given: Targets | LiveTargets,
  temperature = 1,
): tf.Tensor1D {
  return view.run(() => {
    const { x, weight, rows, targets, options } = headInputs(view, hidden, given);
    return tokenLogProbs(x, weight, rows, targets, { ...options, temperature }).logProbs;
  });
}

/** As targetLogProbs, with the entropy of each target's distribution, which no gradient flows through. */
export function targetLogProbsAndEntropy(
  view: View,
  hidden: tf.Tensor,
  given: Targets,
  temperature: number,
): { logProbs: tf.Tensor1D; entropy: tf.Tensor1D } {
  const { x, weight, rows, targets, options } = headInputs(view, hidden, given);
  const { logProbs, entropy } = tokenLogProbs(x, weight, rows, targets, { ...options, temperature, withEntropy: true });
  return { logProbs, entropy: entropy! };
}

/** What is known of each target besides its log-probability; no gradient flows through the others. All [R], 0 on padding. */
export type TargetFigures = Record<'logProbs' | 'entropy' | 'meanLogit' | 'hits' | 'logSumSq', tf.Tensor1D>;

/** Mean of the logits, whether the target is the most likely token, and log Σ p² (TRL's log_sum_sq_probs) among them. */
export function targetFigures(view: View, hidden: tf.Tensor, given: Targets | LiveTargets): TargetFigures {
  const { x, weight, rows, targets, options } = headInputs(view, hidden, given);
  const { logProbs, entropy, figures } = tokenLogProbs(x, weight, rows, targets, { ...options, withFigures: true });
  const [meanLogit, hits, logSumSq] = withoutTape(() => tf.unstack(figures!)) as tf.Tensor1D[];
  return { logProbs, entropy: entropy!, meanLogit: meanLogit!, hits: hits!, logSumSq: logSumSq! };
}
