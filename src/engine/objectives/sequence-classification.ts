/**
 * Sequence classification: a text's scores against its class (cross-entropy), its classes (binary cross-entropy, the
 * mean over the labels) or a number (squared error), as transformers' problem_type defines them. Label smoothing
 * applies only to single classes.
 */
import * as tf from '@tensorflow/tfjs-core';
import { labelsWords, type TaskData, type TextProblemType } from '../../base/task';
import type { ClassificationObjective } from '../../objectives/sequence-classification';
import { type ScoreLossKind, scoreLoss } from '../kernels/losses/score-loss';
import { headScores, noLabels } from './classifier';
import { batchAs, type Objective, type ObjectiveTwin } from './objective';

const LOSSES: Record<TextProblemType, ScoreLossKind> = {
  single_label_classification: 'cross_entropy',
  multi_label_classification: 'binary',
  regression: 'squared',
};

export function sequenceClassification(problemType: TextProblemType): Objective {
  const kind = LOSSES[problemType];
  return {
    batches: 'text_targets',
    loss({ policy, scale, smoothing }, batch) {
      const own = batchAs(batch, 'text_targets');
      const scores = headScores(policy, own, 'texts');
      const targets =
        kind === 'cross_entropy'
          ? tf.tensor1d(Int32Array.from(own.targets), 'int32')
          : tf.tensor2d(own.targets.slice(), scores.shape as [number, number], 'float32');
      const loss = scoreLoss(kind, scores, targets, { scale, smoothing });
      return { loss, targets: own.targetCount, metrics: {}, scores };
    },
  };
}

const ofTexts = (task: TaskData | null): TextProblemType | null =>
  task && !labelsWords(task) ? (task.problemType as TextProblemType) : null;

/** The data decide which problem it is. */
export const sequenceClassificationTwin: ObjectiveTwin<ClassificationObjective> = {
  type: 'sequence_classification',
  create(_section, { task }) {
    const problemType = ofTexts(task);
    if (!problemType) throw noLabels('a label or number for each text');
    return sequenceClassification(problemType);
  },
};
