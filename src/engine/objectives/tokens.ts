/** What the objectives that predict tokens share: rows of hidden states, what each predicts, and the loss of the output head. */
import type * as tf from '@tensorflow/tfjs-core';
import type { PaddedRows } from '../../data/types';
import { linearCrossEntropy } from '../kernels/losses/cross-entropy';
import { takeRows } from '../kernels/moves/row-moves';
import { requireHead } from '../models/head';
import type { Pass } from './objective';

/** Hugging Face's label of a token that is not learned. */
export const IGNORED = -100;

export interface Targets {
  /** Numbers of rows of the flattened hidden states, and what each predicts; padded with -1. */
  rows: Int32Array;
  targets: Int32Array;
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

/** scale · summed cross-entropy of the policy's logits at the target rows. hidden [B·T, d]. */
export function headLoss(pass: Pass, hidden: tf.Tensor, { rows, targets }: Targets): tf.Scalar {
  const { policy, ints, scale, withGradient, smoothing } = pass;
  const { model, hooks } = policy;
  const head = requireHead(model);
  const weight = hooks.weight?.(head.weight) ?? head.weight;
  const bias = head.bias && (hooks.vector?.(head.bias) ?? head.bias);
  const at = ints('rows', rows, [rows.length]);
  // What stands before the projection is computed for the rows that predict something alone.
  const x = head.transform ? head.transform(takeRows(hidden, at), hooks) : hidden;
  const own = () => rows.map((row, i) => (row < 0 ? -1 : i));
  return linearCrossEntropy(
    x,
    weight,
    head.transform ? ints('target_rows', own(), [rows.length]) : at,
    ints('targets', targets, [targets.length]),
    {
      scale,
      withGradient,
      smoothing,
      bias,
      softcap: head.softcap,
      // A stand-in is what a method trains.
      trainsWeight: withGradient && weight !== head.weight,
      trainsBias: withGradient && bias !== head.bias,
    },
  );
}
