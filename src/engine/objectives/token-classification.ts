/**
 * Token classification: cross-entropy of the scores of tokens that have a label, which are the first of each word.
 * Labels are not shifted.
 */
import { labelsWords } from '../../base/task';
import type { TokenClassificationObjective } from '../../objectives/token-classification';
import { scoreLoss } from '../kernels/losses/score-loss';
import { headScores, noLabels } from './classifier';
import { batchAs, type Objective, type ObjectiveTwin } from './objective';

export const tokenClassification: Objective = {
  batches: 'token_labels',
  loss({ policy, scale, smoothing }, batch) {
    const own = batchAs(batch, 'token_labels');
    const targets = policy.ints('targets', own.labels, [own.labels.length]);
    const scores = headScores(policy, own, 'words');
    const loss = scoreLoss('cross_entropy', scores, targets, { scale, smoothing });
    return { loss, targets: own.targetCount, metrics: {}, scores };
  },
};

export const tokenClassificationTwin: ObjectiveTwin<TokenClassificationObjective> = {
  type: 'token_classification',
  create(_section, { task }) {
    if (!task || !labelsWords(task)) throw noLabels('a label for each word');
    return tokenClassification;
  },
};
