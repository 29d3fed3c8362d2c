/**
 * Token classification: cross-entropy of the scores of tokens that have a label, which are the first of each word.
 * Labels are not shifted.
 */
import { labelsWords } from '../../base/task';
import type { TokenClassificationObjective } from '../../objectives/token-classification';
import { scoreLoss } from '../kernels/losses/score-loss';
import { headScores, noLabels } from './classifier';
import { batchAs, lossOnly, type Objective, type ObjectiveTwin } from './objective';

export const tokenClassification: Objective = {
  batches: 'token_labels',
  loss(pass, batch) {
    const { policy, smoothing } = pass;
    const own = batchAs(batch, 'token_labels');
    const targets = policy.ints('targets', () => own.labels, [own.batchSize * own.length]);
    const scores = headScores(policy, own, 'words');
    const loss = scoreLoss('cross_entropy', scores, targets, { scale: () => pass.scale, smoothing });
    return lossOnly(loss, () => own.targetCount, scores);
  },
};

export const tokenClassificationTwin: ObjectiveTwin<TokenClassificationObjective> = {
  type: 'token_classification',
  create(_section, { task }) {
    if (!task || !labelsWords(task)) throw noLabels('a label for each word');
    return tokenClassification;
  },
};
