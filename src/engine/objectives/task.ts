/** What the classifications share: the head they need, and its scores. */
import type * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import type { PaddedRows } from '../../data/types';
import type { LanguageModel, TaskHead } from '../models/model';
import type { View } from './objective';

export function requireTask(model: Pick<LanguageModel, 'task' | 'family'>, kind: TaskHead['kind']): TaskHead {
  if (model.task?.kind === kind) return model.task;
  throw new TabtuneError({
    code: 'bad_recipe',
    message: `This ${model.family} model has no head for ${kind.replace('_', ' ')}.`,
    where: 'objective.type',
    action: 'Load the data with its labels first; the head is made for them.',
  });
}

/** [B, labels] or [B·T, labels] */
export function headScores({ model, hooks, hidden }: View, rows: PaddedRows, kind: TaskHead['kind']): tf.Tensor {
  const head = requireTask(model, kind);
  const { batchSize, length, lengths } = rows;
  return head.scores(hidden(rows, head.states), { batch: batchSize, length, lengths }, hooks);
}

export const noLabels = (what: string) =>
  new TabtuneError({
    code: 'bad_data',
    message: `The data do not hold ${what}, which this objective learns from.`,
    where: 'dataset.source',
    action: 'Choose data with labels, or another objective.',
  });
