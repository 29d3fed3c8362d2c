/** Mean loss over the validation set, every target weighing the same, and what metrics are made of. */
import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../../data/types';
import { inference, type Method } from '../methods/method';
import type { LanguageModel } from '../models/model';
import type { Objective } from '../objectives/objective';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import { forwardOnly } from './checkpointing';

export interface EvaluationSetup {
  model: LanguageModel;
  method: Method | null;
  objective: Objective;
}

/** A whole text as a batch of one row, every token of it a target but the first. */
export function wholeText(ids: Int32Array): Batch {
  const length = ids.length;
  const rows = { batchSize: 1, length, ids, lengths: Int32Array.of(length) };
  return { kind: 'next_token', ...rows, labels: ids, starts: null, targetCount: length - 1 };
}

/** A classification head's scores on a batch: [rows, labels] or [rows · length, labels], row-major. */
export interface BatchScores {
  batch: Batch;
  values: Float32Array;
}

export interface Evaluation {
  /** NaN for an empty set. */
  loss: number;
  /** Of every batch, where the model has a head for the task. */
  scores: BatchScores[];
}

/** `cancelled` is asked between batches; when it says yes the result is null. */
export async function evaluate(
  { model, method, objective }: EvaluationSetup,
  batches: Batch[],
  cancelled: () => boolean = () => false,
): Promise<Evaluation | null> {
  const hooks = forwardOnly(method?.hooks(inference()) ?? {});
  const scores: BatchScores[] = [];
  let sum = 0;
  let count = 0;
  let pending: (() => Promise<void>) | null = null;
  for (const batch of batches) {
    if (cancelled()) {
      await pending?.();
      return null;
    }
    beginWork();
    const { watched, taken } = watchScores(model);
    const loss = tf.tidy(() => objective.loss(watched, hooks, batch, { scale: 1, withGradient: false }));
    // One batch ahead: the GPU works on this one while the last one's figures are fetched.
    const reads = [loss, ...taken].map((tensor) => {
      const read = readFloats(tensor);
      tensor.dispose();
      return read;
    });
    await pending?.();
    pending = async () => {
      const [total, values] = await Promise.all(reads);
      sum += total![0]!;
      if (values) scores.push({ batch, values });
    };
    count += objective.targets?.(batch, { seed: 0, pass: 0 }) ?? batch.targetCount;
  }
  await pending?.();
  return { loss: count > 0 ? sum / count : Number.NaN, scores };
}

/** The model, whose head lets its scores be taken as the loss is computed. */
function watchScores(model: LanguageModel): { watched: LanguageModel; taken: tf.Tensor[] } {
  const taken: tf.Tensor[] = [];
  const { task } = model;
  if (!task) return { watched: model, taken };
  const scores: typeof task.scores = (hidden, input, hooks) => {
    const given = task.scores(hidden, input, hooks);
    taken.push(tf.keep(given.clone()));
    return given;
  };
  return { watched: { ...model, task: { ...task, scores } }, taken };
}
