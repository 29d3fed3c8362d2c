/**
 * Cross-entropy and z-loss, weight · log²Z, summed over the target tokens. With the logit l of the target and its log-probability
 * p, log Z = l − p; l is a product of two rows, so that no logits of the whole vocabulary are stored.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ZLossObjective } from '../../objectives/z-loss';
import { tokenLogProbs } from '../kernels/losses/token-log-probs';
import { embedding } from '../kernels/moves/embedding';
import { takeRows } from '../kernels/moves/row-moves';
import { requireHead } from '../models/head';
import { batchAs, type Objective, type ObjectiveTwin } from './objective';
import { targetRows } from './sft';

const zLoss = (weight: number): Objective => ({
  batches: 'next_token',
  loss({ policy, ints, scale }, batch) {
    const own = batchAs(batch, 'next_token');
    const { rows, targets } = targetRows(own);
    const head = requireHead(policy.model);
    const hidden = policy.hidden(own);
    const at = ints('rows', rows, [rows.length]);
    const { logProbs } = tokenLogProbs(hidden, head.weight, at, ints('targets', targets, [targets.length]));
    // Padding is the row −1: it counts nothing.
    const real = tf.tensor1d(Float32Array.from(rows, (row) => (row < 0 ? 0 : 1)));
    const wanted = embedding(
      ints(
        'wanted',
        targets.map((id) => Math.max(0, id)),
        [targets.length],
      ),
      head.weight,
    );
    const logits = tf.sum(tf.mul(takeRows(hidden, at), wanted), 1);
    const logZ = tf.mul(tf.sub(logits, logProbs), real);
    const z = tf.mul(tf.sum(tf.square(logZ)), weight * scale).asScalar();
    const crossEntropy = tf.mul(tf.sum(logProbs), -scale).asScalar();
    return { loss: tf.add(crossEntropy, z).asScalar(), targets: own.targetCount, metrics: { z_loss: z }, scores: null };
  },
});

export const zLossTwin: ObjectiveTwin<ZLossObjective> = {
  type: 'z_loss',
  create: ({ z_loss_weight }) => zLoss(z_loss_weight),
};
