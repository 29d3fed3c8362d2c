/**
 * Sequence classification: scores of a text, through the task head, against its class (cross-entropy), its classes (binary
 * cross-entropy, a mean over the labels) or a number (squared error), as transformers' problem_type has them. Label
 * smoothing is for classes; the other two have none.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Batch, TaskData } from '../../data/types';
import { type ScoreLossKind, scoreLoss } from '../kernels/losses/score-loss';
import { textInput } from '../models/input';
import type { LanguageModel } from '../models/model';
import type { Hooks } from '../types';
import { batchAs, type Objective } from './objective';
import { requireTask } from './task';

type ProblemType = Exclude<TaskData['problemType'], 'token_classification'>;

const LOSSES: Record<ProblemType, ScoreLossKind> = {
  single_label_classification: 'cross_entropy',
  multi_label_classification: 'binary',
  regression: 'squared',
};

export function sequenceClassification(problemType: ProblemType): Objective {
  const kind = LOSSES[problemType];
  const scores = (model: LanguageModel, hooks: Hooks, batch: Batch) => {
    const task = requireTask(model, 'sequence_classification');
    const { batchSize, length, lengths } = batch;
    return task.scores(model.hidden(textInput(model, batch), hooks), { batch: batchSize, length, lengths }, hooks);
  };
  return {
    batches: 'text_targets',
    scores,
    loss(model, hooks, batch, { scale, smoothing }) {
      const given = scores(model, hooks, batch);
      const { targets } = batchAs(batch, 'text_targets');
      const wanted =
        kind === 'cross_entropy'
          ? tf.tensor1d(Int32Array.from(targets), 'int32')
          : tf.tensor2d(targets.slice(), given.shape as [number, number], 'float32');
      return scoreLoss(kind, given, wanted, { scale, smoothing });
    },
  };
}
