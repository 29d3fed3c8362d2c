/**
 * Sequence classification: a text's scores against its class (cross-entropy), its classes (binary cross-entropy, the
 * mean over the labels) or a number (squared error), as transformers' problem_type defines them. Label smoothing
 * applies only to single classes.
 */
import { labelsWords, type TaskData, type TextProblemType } from '../../base/task';
import type { ClassificationObjective } from '../../objectives/sequence-classification';
import { type ScoreLossKind, scoreLoss } from '../kernels/losses/score-loss';
import { headScores, noLabels } from './classifier';
import { batchAs, lossOnly, type Objective, type ObjectiveTwin } from './objective';

const LOSSES: Record<TextProblemType, ScoreLossKind> = {
  single_label_classification: 'cross_entropy',
  multi_label_classification: 'binary',
  regression: 'squared',
};

export function sequenceClassification(problemType: TextProblemType): Objective {
  const kind = LOSSES[problemType];
  return {
    batches: 'text_targets',
    loss(pass, batch) {
      const { policy, smoothing } = pass;
      const own = batchAs(batch, 'text_targets');
      const scores = headScores(policy, own, 'texts');
      const targets =
        kind === 'cross_entropy'
          ? policy.ints('targets', () => Int32Array.from(own.targets), [own.batchSize])
          : policy.floats('targets', () => own.targets, scores.shape);
      const loss = scoreLoss(kind, scores, targets, { scale: () => pass.scale, smoothing });
      return lossOnly(loss, () => own.targetCount, scores);
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
