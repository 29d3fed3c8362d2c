/**
 * Cross-entropy and z-loss, weight · log²Z, summed over the target tokens. With the logit l of the target and its log-probability
 * p, log Z = l − p; l is a product of two rows, so that no logits of the whole vocabulary are stored.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ZLossObjective } from '../../objectives/z-loss';
import { embedding } from '../kernels/moves/embedding';
import { takeRows } from '../kernels/moves/row-moves';
import { requireHead } from '../models/heads';
import { batchAs, type Objective, type ObjectiveTwin } from './objective';
import { targetRows } from './sft';
import { targetLogProbs } from './tokens';

const zLoss = (weight: number): Objective => ({
  batches: 'next_token',
  loss({ policy, scale }, batch) {
    const own = batchAs(batch, 'next_token');
    const given = targetRows(own);
    const head = requireHead(policy.model, 'lm');
    const hidden = policy.hidden(own);
    const logProbs = targetLogProbs(policy, hidden, given);
    // Padding is the row −1: it counts nothing.
    const real = tf.tensor1d(Float32Array.from(given.rows, (row) => (row < 0 ? 0 : 1)));
    const size = [given.rows.length];
    const tokens = given.targets.map((id) => Math.max(0, id));
    const wanted = embedding(policy.ints('wanted', tokens, size), head.weight);
    const logits = tf.sum(tf.mul(takeRows(hidden, policy.ints('rows', given.rows, size)), wanted), 1);
    const logZ = tf.mul(tf.sub(logits, logProbs), real);
    const z = tf.mul(tf.sum(tf.square(logZ)), weight * scale) as tf.Scalar;
    const loss = tf.add(tf.mul(tf.sum(logProbs), -scale), z) as tf.Scalar;
    return { loss, targets: own.targetCount, metrics: { z_loss: z }, scores: null };
  },
});

export const zLossTwin: ObjectiveTwin<ZLossObjective> = {
  type: 'z_loss',
  create: ({ z_loss_weight }) => zLoss(z_loss_weight),
};
