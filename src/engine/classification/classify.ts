/** Scores of one text through a model's classification head. */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import type { TaskData } from '../../data/types';
import { requireHead } from '../models/heads';
import { textInput } from '../models/input';
import type { LanguageModel } from '../models/model';
import { virtualLength } from '../models/virtual-tokens';
import { forwardOnly } from '../run/checkpointing';
import type { Hooks } from '../types';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';

/** [labels] for a text, [T, labels] for its tokens, before any softmax. */
export async function textScores(model: LanguageModel, hooks: Hooks, ids: Int32Array): Promise<Float32Array> {
  const head = requireHead(model, 'classification');
  const length = ids.length;
  const room = model.contextLength - virtualLength(hooks);
  if (length === 0 || length > room) {
    throw new TabtuneError({
      code: 'bad_data',
      message:
        length === 0 ? 'The text is empty.' : `The text has ${length} tokens, but the model reads at most ${room}.`,
      where: 'text',
      action: length === 0 ? 'Write something to classify.' : 'Shorten it.',
    });
  }
  const lengths = Int32Array.of(length);
  beginWork();
  const scores = tf.tidy(() => {
    const input = textInput(model, { batchSize: 1, length, ids, lengths }, { states: head.states });
    return head.scores(model.hidden(input, forwardOnly(hooks)), { batch: 1, length, lengths }, hooks);
  });
  try {
    return await readFloats(scores);
  } finally {
    scores.dispose();
  }
}

/**
 * From scores [rows · labels]: softmax for single classes, the logistic function for several, the number itself in
 * regression.
 */
export function probabilities(
  problemType: TaskData['problemType'],
  labels: number,
  scores: Float32Array,
): Float32Array {
  switch (problemType) {
    case 'regression':
      return scores;
    case 'multi_label_classification':
      return scores.map((z) => 1 / (1 + Math.exp(-z)));
    default: {
      const shares = new Float32Array(scores.length);
      for (let from = 0; from < scores.length; from += labels) {
        const row = scores.subarray(from, from + labels);
        const top = row.reduce((most, z) => Math.max(most, z), -Infinity);
        const total = row.reduce((sum, z) => sum + Math.exp(z - top), 0);
        for (const [i, z] of row.entries()) shares[from + i] = Math.exp(z - top) / total;
      }
      return shares;
    }
  }
}
