/** Log-probabilities of whole answers, from those of their tokens: what every preference loss compares. */
import * as tf from '@tensorflow/tfjs-core';
import { IGNORE_INDEX } from '../../../base/ignore-index';
import type { PaddedRows } from '../../../data/types';
import type { MakeFloats } from '../../models/input';
import { current, decided, madeOnce } from '../../webgpu/live';
import type { View } from '../objective';
import {
  type LiveTargets,
  padTargets,
  type TargetFigures,
  type Targets,
  targetFigures,
  targetLogProbs,
} from '../tokens';

/** Rows of tokens with the answers in them. */
export interface LabelledRows extends PaddedRows {
  /** [batchSize · length]; -100 on prompts and padding. Not shifted. */
  labels: Int32Array;
}

/** The tokens of the answers, in the order of the rows. */
export interface AnswerTokens extends Targets {
  /** The row that each target is in, and its number within its answer, from 0; -1 on padding. */
  rowOf: Int32Array;
  placeOf: Int32Array;
  /** Tokens of each row's answer. */
  counts: number[];
  /** Targets, with those that pad. */
  size: number;
  batchSize: number;
  /** Makes tensors of what follows from the others. */
  floats: MakeFloats;
}

const ownTensor: MakeFloats = (_use, values, shape) => tf.tensor(current(values), shape, 'float32');

/**
 * The same of a batch that the work may be replayed for others of (webgpu/live.ts): all but the sizes may be read in functions only.
 * `floats` are those of a side whose inputs last as long as the pass.
 */
export function liveAnswers(rows: PaddedRows, floats: MakeFloats, make: () => AnswerTokens): AnswerTokens {
  const made = madeOnce(make);
  return {
    get rows() {
      return made().rows;
    },
    get targets() {
      return made().targets;
    },
    get rowOf() {
      return made().rowOf;
    },
    get placeOf() {
      return made().placeOf;
    },
    get counts() {
      return made().counts;
    },
    size: decided(() => made().size),
    batchSize: rows.batchSize,
    floats,
  };
}

/** As the model's head takes them. */
const headTargets = (tokens: AnswerTokens): LiveTargets => ({
  count: tokens.size,
  rows: () => tokens.rows,
  targets: () => tokens.targets,
});

/** Rows [from, to) of a batch, by themselves. */
export function sliceRows<B extends LabelledRows>(batch: B, from: number, to: number): LabelledRows {
  const { length } = batch;
  const cut = <A extends Int32Array>(values: A) => values.slice(from * length, to * length);
  return {
    batchSize: to - from,
    length,
    ids: cut(batch.ids),
    labels: cut(batch.labels),
    lengths: batch.lengths.slice(from, to),
  };
}

/** Each label is predicted from the token before it. */
export function answerTokens(rows: LabelledRows): AnswerTokens {
  const { batchSize, length, labels } = rows;
  const pairs: [number, number][] = [];
  const [rowOf, placeOf]: [number[], number[]] = [[], []];
  const counts = Array.from({ length: batchSize }, () => 0);
  for (let b = 0; b < batchSize; b++) {
    for (let t = 1; t < length; t++) {
      const label = labels[b * length + t]!;
      if (label === IGNORE_INDEX) continue;
      pairs.push([b * length + t - 1, label]);
      rowOf.push(b);
      placeOf.push(counts[b]!++);
    }
  }
  const padded = padTargets(rows, pairs);
  const filled = (values: number[]) => Int32Array.from(padded.rows, (_, i) => values[i] ?? -1);
  const size = padded.rows.length;
  return { ...padded, rowOf: filled(rowOf), placeOf: filled(placeOf), counts, size, batchSize, floats: ownTensor };
}

/** The same targets, those of answers alone: `all` may have the prompts' too, and an answer is what a row ends with. */
export function answersAmong(all: AnswerTokens, counts: readonly number[]): AnswerTokens {
  const place = (i: number) => {
    const row = all.rowOf[i]!;
    return row < 0 ? -1 : all.placeOf[i]! - (all.counts[row]! - counts[row]!);
  };
  const placeOf = all.placeOf.map((_, i) => Math.max(-1, place(i)));
  return { ...all, rowOf: all.rowOf.map((row, i) => (placeOf[i]! < 0 ? -1 : row)), placeOf, counts: [...counts] };
}

/** What a token's log-probability counts in its answer's sum. */
export type TokenWeight = (row: number, place: number) => number;

/** Sums over the tokens of each row, [batchSize], from a figure of every token, [R]. */
export function rowSums(tokens: AnswerTokens, figure: tf.Tensor1D, weight: TokenWeight = () => 1): tf.Tensor1D {
  const { size, batchSize } = tokens;
  const shares = () => {
    const { rowOf, placeOf } = tokens;
    const values = new Float32Array(batchSize * size);
    rowOf.forEach((row, i) => {
      if (row >= 0) values[row * size + i] = weight(row, placeOf[i]!);
    });
    return values;
  };
  const matrix = tokens.floats('sums_of_rows', shares, [batchSize, size]) as tf.Tensor2D;
  return tf.reshape(tf.matMul(matrix, tf.reshape(figure, [size, 1])), [batchSize]) as tf.Tensor1D;
}

/** Means over the tokens of each row, [batchSize]; 0 for an empty answer. */
export const rowMeans = (tokens: AnswerTokens, figure: tf.Tensor1D): tf.Tensor1D =>
  tf.div(rowSums(tokens, figure), answerLengths(tokens));

/** Tokens of the answers of rows [from, to), at least 1. */
export const answerLengths = (tokens: AnswerTokens, from = 0, to = tokens.batchSize): tf.Tensor =>
  tokens.floats('lengths', () => Float32Array.from(tokens.counts.slice(from, to), (n) => Math.max(1, n)), [to - from]);

/** Mean over the tokens of the rows that satisfy `isIn`; 0 if they have none. */
export function meanOverRows(tokens: AnswerTokens, figure: tf.Tensor1D, isIn: (row: number) => boolean): tf.Scalar {
  const shares = () => {
    const total = tokens.counts.reduce((sum, count, row) => sum + (isIn(row) ? count : 0), 0);
    const share = total > 0 ? 1 / total : 0;
    return Float32Array.from(tokens.rowOf, (row) => (row >= 0 && isIn(row) ? share : 0));
  };
  return tf.sum(tf.mul(figure, tokens.floats('shares', shares, [tokens.size])));
}

/** Of the rows in [from, to). */
export const meanOverTokens = (tokens: AnswerTokens, figure: tf.Tensor1D, from: number, to: number): tf.Scalar =>
  meanOverRows(tokens, figure, (row) => row >= from && row < to);

/** The policy's log-probabilities of the tokens, with the tape, and figures of its distributions without. */
export const policyFigures = (view: View, rows: LabelledRows, tokens: AnswerTokens): TargetFigures =>
  targetFigures(view, view.hidden(rows), headTargets(tokens));

/** Log-probabilities of whole answers that no gradient flows through, [batchSize]. */
export const answerLogProbs = (view: View, rows: LabelledRows, tokens: AnswerTokens, weight?: TokenWeight) =>
  view.run(() => rowSums(tokens, targetLogProbs(view, view.hidden(rows), headTargets(tokens)), weight));
