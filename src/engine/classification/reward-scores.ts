/** What a reward model says of answers: one number for each prompt with its answer. */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { withoutTape } from '../kernels/tape';
import { type MakeInput, textInput } from '../models/input';
import type { ClassificationHead, LanguageModel } from '../models/model';
import { textBatches } from '../models/text-batches';
import { forwardOnly } from '../run/checkpointing';
import type { Hooks } from '../types';
import { readFloats } from '../webgpu/backend';
import { current } from '../webgpu/live';
import { beginWork } from '../webgpu/pool';

/** The head that gives one number for a text. Throws bad_adapter if the model's head gives something else. */
export function rewardHead({ heads }: Pick<LanguageModel, 'heads'>): ClassificationHead {
  const head = heads.classification;
  if (head?.kind === 'texts' && head.labels.length === 1) return head;
  const has = !head
    ? 'no head'
    : head.kind === 'words'
      ? 'a head that labels words'
      : `a head with ${head.labels.length} labels`;
  throw new TabtuneError({
    code: 'bad_adapter',
    message: `A reward model gives one number for a text, and this one has ${has}.`,
    action: 'Choose a run with the objective reward, or an adapter of a model with num_labels 1.',
  });
}

/**
 * The scores of sequences of tokens, in their order; nothing is recorded for a gradient. Sequences are without trailing padding
 * tokens (data/trailing-padding.ts).
 */
export async function rewardScores(
  model: LanguageModel,
  hooks: Hooks,
  sequences: readonly Int32Array[],
): Promise<Float32Array> {
  const head = rewardHead(model);
  const make: MakeInput = (_use, values, shape) => tf.tensor(current(values), shape, 'int32');
  const scores = new Float32Array(sequences.length);
  for (const { places, rows } of textBatches(model, hooks, sequences)) {
    beginWork();
    const batch = withoutTape(() => {
      const hidden = model.hidden(textInput(model, rows, { states: head.states, make }), forwardOnly(hooks));
      return head.scores(hidden, { batch: rows.batchSize, length: rows.length, lengths: rows.lengths }, hooks);
    });
    try {
      const values = await readFloats(batch);
      places.forEach((i, row) => {
        scores[i] = values[row]!;
      });
    } finally {
      batch.dispose();
    }
  }
  return scores;
}
