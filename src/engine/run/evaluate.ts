/** Mean loss over the validation set, every target weighing the same, and what metrics are computed from. */
import * as tf from '@tensorflow/tfjs-core';
import type { Batch, NextTokenBatch } from '../../data/types';
import type { BatchScores } from '../../objectives/objective';
import { inference } from '../methods/method';
import type { LossResult } from '../objectives/objective';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import { forwardOnly } from './checkpointing';
import { createPass, type PassSetup } from './pass';
import { addCounts, addScalars, disposeScalars, readScalars, type ScalarCounts, type ScalarSums } from './step-scalars';

/** A whole text as a batch of one row, every token of it a target but the first. */
export function wholeText(ids: Int32Array): NextTokenBatch {
  const length = ids.length;
  const rows = { batchSize: 1, length, ids, lengths: Int32Array.of(length) };
  return { kind: 'next_token', ...rows, labels: ids, starts: null, targetCount: length - 1 };
}

export interface Evaluation {
  /** NaN for an empty set. */
  loss: number;
  /** Means over the targets of what else the objective reports. */
  metrics: Record<string, number>;
  /** Of every batch; empty when the objective has none. */
  scores: BatchScores[];
}

/** What one batch came to: the sum of its loss, and how many targets that is a sum over. */
export interface BatchLoss {
  loss: number;
  targets: number;
}

/** `cancelled` is asked between batches; when it says yes the result is null. `onBatch` is told of each batch, in order. */
export async function evaluate(
  setup: PassSetup,
  batches: Batch[],
  cancelled: () => boolean = () => false,
  onBatch: (batch: BatchLoss) => void = () => {},
): Promise<Evaluation | null> {
  const hooks = forwardOnly(setup.method?.hooks(inference()) ?? {});
  const scores: BatchScores[] = [];
  const metrics: ScalarSums = new Map();
  const counts: ScalarCounts = new Map();
  let sum = 0;
  let count = 0;
  let pending: (() => Promise<void>) | null = null;
  try {
    for (const batch of batches) {
      if (cancelled()) {
        await pending?.();
        return null;
      }
      beginWork();
      const pass = createPass(setup, { hooks, scale: 1, withGradient: false });
      const result = tidied(() => setup.objective.loss(pass, batch));
      let reads: Promise<Float32Array>[];
      try {
        addScalars(metrics, result.metrics);
        addCounts(counts, result.counts);
        // One batch ahead: the GPU works on this one while the results of the last one are fetched.
        reads = [result.loss, ...(result.scores ? [result.scores] : [])].map((tensor) => readFloats(tensor));
      } finally {
        tf.dispose(tensorsOf(result));
      }
      await pending?.();
      pending = async () => {
        const [total, values] = await Promise.all(reads);
        sum += total![0]!;
        onBatch({ loss: total![0]!, targets: result.targets });
        if (values) scores.push({ batch, values });
      };
      count += result.targets;
    }
    await pending?.();
    return {
      loss: count > 0 ? sum / count : Number.NaN,
      metrics: await readScalars(metrics, { factor: 1 / Math.max(1, count), scale: 1, counts }),
      scores,
    };
  } finally {
    disposeScalars(metrics);
  }
}

const tensorsOf = ({ loss, metrics, scores }: LossResult) => [
  loss,
  ...Object.values(metrics),
  ...(scores ? [scores] : []),
];

/** Runs a loss and frees everything but its result. */
function tidied(compute: () => LossResult): LossResult {
  let result!: LossResult;
  tf.tidy(() => {
    result = compute();
    return tensorsOf(result);
  });
  return result;
}
