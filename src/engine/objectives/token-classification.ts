/**
 * Token classification: scores of every token, through the task head; cross-entropy where a token has a label, which is the
 * first of each word. Labels stand where they belong, not shifted.
 */
import type { Batch } from '../../data/types';
import { int32Input } from '../kernels/inputs';
import { scoreLoss } from '../kernels/losses/score-loss';
import { textInput } from '../models/input';
import type { LanguageModel } from '../models/model';
import type { Hooks } from '../types';
import { batchAs, type Objective } from './objective';
import { requireTask } from './task';

function scores(model: LanguageModel, hooks: Hooks, batch: Batch) {
  const task = requireTask(model, 'token_classification');
  const { batchSize, length, lengths } = batch;
  return task.scores(model.hidden(textInput(model, batch), hooks), { batch: batchSize, length, lengths }, hooks);
}

export const tokenClassification: Objective = {
  batches: 'token_labels',
  scores,
  loss(model, hooks, batch, { scale, smoothing }) {
    const { labels } = batchAs(batch, 'token_labels');
    const targets = int32Input('targets', labels, [labels.length]);
    return scoreLoss('cross_entropy', scores(model, hooks, batch), targets, { scale, smoothing });
  },
};
