/**
 * Adafactor as transformers' Trainer configures it: explicit learning rates, no first moment, clip_threshold 1,
 * decay_rate −0.8. Its second moments are a row and a column per matrix, thousandths of Adam's size. Sums in its kernels
 * are over whole tensors.
 */
import * as tf from '@tensorflow/tfjs-core';
import { keptZeros, writeValues } from '../kernels/in-place';
import { adafactorStep, factorise, tableOf } from '../kernels/optimisers/adafactor';
import type { Place } from './flat-layout';
import { pace, type RuleKind } from './update-rule';

/** eps[0] of transformers' Adafactor: added to squared gradients. */
const EPSILON = 1e-30;
const DECAY_RATE = -0.8;

export const adafactor: RuleKind = {
  create(layout, { weight_decay }) {
    const factors = factorise(layout.flat);
    const matrixOf = new Map(layout.flat.map((place, i) => [place, factors.matrices[i]!]));
    const row = keptZeros([factors.rows]);
    const col = keptZeros([factors.cols]);
    const partial = keptZeros([factors.rows]);
    const folds = keptZeros([factors.slices + layout.flat.length]);
    const words = tableOf(factors);
    const table = keptZeros([words.length], 'int32');
    writeValues(table, words);
    return {
      update(buffers, ranges, learningRate) {
        for (const range of ranges) {
          adafactorStep({ ...buffers, table, row, col, partial, folds }, factors, range, {
            ...pace(range, learningRate, weight_decay),
            beta: 1 - range.step ** DECAY_RATE,
            epsilon: EPSILON,
          });
        }
      },
      parts: [
        {
          prefix: 'adafactor_row',
          tensor: row,
          piece(place: Place) {
            const { rowStart: offset, batch, rows } = matrixOf.get(place)!;
            return { offset, shape: [batch * rows] };
          },
        },
        {
          prefix: 'adafactor_col',
          tensor: col,
          piece(place: Place) {
            const { colStart: offset, batch, cols } = matrixOf.get(place)!;
            return { offset, shape: [batch * cols] };
          },
        },
      ],
      dispose: () => tf.dispose([row, col, partial, folds, table]),
    };
  },
};
