/** What the classifications share: the head they need, and its scores. */
import type * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import type { PaddedRows } from '../../data/types';
import type { ClassificationHead, LanguageModel } from '../models/model';
import type { View } from './objective';

type Kind = ClassificationHead['kind'];

function requireClassifier({ heads, family }: Pick<LanguageModel, 'heads' | 'family'>, kind: Kind): ClassificationHead {
  if (heads.classification?.kind === kind) return heads.classification;
  throw new TabtuneError({
    code: 'bad_recipe',
    message: `This ${family} model has no head that classifies ${kind}.`,
    where: 'objective.type',
    action: 'Load the data with its labels first; the head is made for them.',
  });
}

/** Scores of the policy's head: [B, labels] of texts, [B·T, labels] of tokens. */
export function headScores({ model, hooks, hidden, ints }: View, rows: PaddedRows, kind: Kind): tf.Tensor {
  const head = requireClassifier(model, kind);
  const { batchSize, length } = rows;
  return head.scores(hidden(rows, head.states), { batch: batchSize, length, lengths: () => rows.lengths, ints }, hooks);
}

export const noLabels = (what: string) =>
  new TabtuneError({
    code: 'bad_data',
    message: `The data have no ${what}, which this objective needs.`,
    where: 'dataset.source',
    action: 'Choose data with labels, or another objective.',
  });
