/**
 * Supervised fine-tuning: next-token cross-entropy over the labels that are not -100. As TRL's SFTTrainer: the label at
 * position t is predicted from the hidden state at t−1.
 */
import type { Batch } from '../../data/types';
import { linearCrossEntropy } from '../kernels/cross-entropy';
import { causalVisible } from '../kernels/visible';
import { requireHead } from '../models/head';
import { int32Input } from '../training/inputs';
import type { Objective } from './objective';

export const IGNORED = -100;

/**
 * Rows of the flattened hidden states that predict something, and what; padded with -1 to a quarter of the batch's
 * tokens, so that few distinct shapes occur.
 */
export function targetRows(batch: Pick<Batch, 'batchSize' | 'length' | 'labels'>): {
  rows: Int32Array;
  targets: Int32Array;
} {
  const { batchSize, length, labels } = batch;
  const rows: number[] = [];
  const targets: number[] = [];
  for (let b = 0; b < batchSize; b++) {
    for (let t = 1; t < length; t++) {
      const label = labels[b * length + t]!;
      if (label === IGNORED) continue;
      rows.push(b * length + t - 1);
      targets.push(label);
    }
  }
  const bucket = Math.max(8, Math.ceil((batchSize * length) / 4 / 8) * 8);
  const padded = Math.max(bucket, Math.ceil(rows.length / bucket) * bucket);
  const pad = (values: number[]) => Int32Array.from({ length: padded }, (_, i) => values[i] ?? -1);
  return { rows: pad(rows), targets: pad(targets) };
}

/** Positions 0..T-1 in every row. */
function positionsOf(batch: Batch): Int32Array {
  return Int32Array.from({ length: batch.batchSize * batch.length }, (_, i) => i % batch.length);
}

export const sft: Objective = {
  loss(model, hooks, batch, options) {
    const { batchSize, length } = batch;
    const { rows, targets } = targetRows(batch);
    const head = requireHead(model);
    const hidden = model.hidden(
      {
        ids: int32Input('ids', batch.ids, [batchSize * length]),
        positions: int32Input('positions', positionsOf(batch), [batchSize * length]),
        visible: int32Input('visible', causalVisible(batch.lengths, length), [batchSize * length, 2]),
        batch: batchSize,
        length,
      },
      hooks,
    );
    return linearCrossEntropy(
      head.transform ? head.transform(hidden, hooks) : hidden,
      head.weight,
      int32Input('rows', rows, [rows.length]),
      int32Input('targets', targets, [targets.length]),
      { ...options, bias: head.bias, softcap: head.softcap },
    );
  },
};
