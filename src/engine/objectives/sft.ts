/**
 * Supervised fine-tuning: next-token cross-entropy over the labels that are not -100. As TRL's SFTTrainer: the label at
 * position t is predicted from the hidden state at t−1. A packed text's first token is predicted from nothing.
 */

import { TabtuneError } from '../../base/errors';
import { IGNORE_INDEX } from '../../base/ignore-index';
import type { NextTokenBatch } from '../../data/types';
import type { SftObjective } from '../../objectives/sft';
import { requireHead } from '../models/heads';
import { batchAs, lossOnly, type Objective, type ObjectiveTwin } from './objective';
import { headLoss, liveTargets, padTargets, type Targets } from './tokens';

/** Rows of the flattened hidden states that predict something, and what. */
export function targetRows(batch: Pick<NextTokenBatch, 'batchSize' | 'length' | 'labels' | 'starts'>): Targets {
  const { batchSize, length, labels, starts } = batch;
  const pairs: [number, number][] = [];
  for (let b = 0; b < batchSize; b++) {
    for (let t = 1; t < length; t++) {
      const i = b * length + t;
      if (labels[i] !== IGNORE_INDEX && starts?.[i] !== t) pairs.push([i - 1, labels[i]!]);
    }
  }
  return padTargets(batch, pairs);
}

export const sft: Objective = {
  batches: 'next_token',
  likelihood: true,
  loss(pass, batch) {
    const { model, hidden } = pass.policy;
    requireHead(model, 'lm');
    if (model.kind !== 'decoder') {
      throw new TabtuneError({
        code: 'bad_recipe',
        message: `A ${model.family} model sees the whole text at once, so it cannot learn to predict the next token.`,
        where: 'objective.type',
        action: 'Choose masked_lm or a classification, or a model that writes text.',
      });
    }
    const own = batchAs(batch, 'next_token');
    return lossOnly(
      headLoss(
        pass,
        hidden(own),
        liveTargets(() => targetRows(own)),
      ),
      () => own.targetCount,
    );
  },
};

/** Which labels are ignored is up to the data. */
export const sftTwin: ObjectiveTwin<SftObjective> = { type: 'sft', create: () => sft };
