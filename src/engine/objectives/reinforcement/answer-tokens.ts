/** The tokens of a micro-batch's answers as one list, padded so that few distinct shapes occur, and sums over them by row. */
import * as tf from '@tensorflow/tfjs-core';
import { IGNORE_INDEX } from '../../../base/ignore-index';
import type { RolloutBatch } from '../../../data/types';
import { padTargets, type Targets } from '../tokens';

export interface AnswerTokens {
  targets: Targets;
  rows: number;
  /** Of each entry of the list: the row that it is in, and its place in the batch; -1 on padding. */
  rowOf: Int32Array;
  places: Int32Array;
  /** Tokens of each row. */
  lengths: Int32Array;
  count: number;
}

export function answerTokens(batch: Pick<RolloutBatch, 'batchSize' | 'length' | 'labels'>): AnswerTokens {
  const { batchSize, length, labels } = batch;
  const pairs: [number, number][] = [];
  const places: number[] = [];
  const lengths = new Int32Array(batchSize);
  for (let b = 0; b < batchSize; b++) {
    for (let t = 1; t < length; t++) {
      const i = b * length + t;
      if (labels[i] === IGNORE_INDEX) continue;
      pairs.push([i - 1, labels[i]!]);
      places.push(i);
      lengths[b]!++;
    }
  }
  return listed(padTargets(batch, pairs), places, batchSize, length, lengths);
}

function listed(targets: Targets, found: number[], rows: number, length: number, lengths: Int32Array): AnswerTokens {
  const places = Int32Array.from(targets.rows, (_, i) => found[i] ?? -1);
  const rowOf = places.map((place) => (place < 0 ? -1 : Math.floor(place / length)));
  return { targets, rows, rowOf, places, lengths, count: found.length };
}

/** What a figure of the batch says about each token of the list; 0 on padding. */
export function perToken({ places, rowOf }: AnswerTokens, figure: Float32Array, rows: number): Float32Array {
  const byRow = figure.length === rows;
  return Float32Array.from(places, (place, i) => (place < 0 ? 0 : figure[byRow ? rowOf[i]! : place]!));
}

/** [rows, tokens], 1 where a token is in a row. */
const membership = ({ rows, rowOf }: AnswerTokens): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from({ length: rows * rowOf.length }, (_, i) =>
      rowOf[i % rowOf.length] === Math.floor(i / rowOf.length) ? 1 : 0,
    ),
    [rows, rowOf.length],
  );

/** Sums over the tokens of each row, [rows]. */
export const rowSums = (tokens: AnswerTokens, values: tf.Tensor): tf.Tensor1D =>
  tf.reshape(tf.matMul(membership(tokens), tf.reshape(values, [-1, 1])), [tokens.rows]);

/** A value for each row, for each of its tokens; 0 on padding. */
export const spread = (tokens: AnswerTokens, values: tf.Tensor): tf.Tensor1D =>
  tf.reshape(tf.matMul(tf.reshape(values, [1, tokens.rows]), membership(tokens)), [tokens.rowOf.length]);

/** The mean over all tokens of the list, padding excluded; 0 without any. */
export const tokenMean = (tokens: AnswerTokens, values: tf.Tensor): tf.Scalar => {
  const share = tokens.rowOf.length === 0 ? [] : tokens.rowOf;
  const weights = Float32Array.from(share, (row) => (row < 0 ? 0 : 1 / Math.max(1, tokens.count)));
  return tf.sum(tf.mul(values, tf.tensor1d(weights)));
};
