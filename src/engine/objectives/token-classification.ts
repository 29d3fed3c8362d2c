/**
 * Token classification: scores of every token, through the task head; cross-entropy where a token has a label, which is the
 * first of each word. Labels stand where they belong, not shifted.
 */
import type { Batch } from '../../data/types';
import { int32Input } from '../kernels/inputs';
import { scoreLoss } from '../kernels/losses/score-loss';
import type { LanguageModel } from '../models/model';
import type { Hooks } from '../types';
import { modelInput } from './model-input';
import type { Objective } from './objective';
import { requireTask } from './task';

function scores(model: LanguageModel, hooks: Hooks, batch: Batch) {
  const task = requireTask(model, 'token_classification');
  const { batchSize, length, lengths } = batch;
  return task.scores(model.hidden(modelInput(model, batch), hooks), { batch: batchSize, length, lengths }, hooks);
}

export const tokenClassification: Objective = {
  scores,
  loss(model, hooks, batch, { scale, smoothing }) {
    const targets = int32Input('targets', batch.labels, [batch.labels.length]);
    return scoreLoss('cross_entropy', scores(model, hooks, batch), targets, { scale, smoothing });
  },
};
