/** From hidden states to logits, for generation and checks; training fuses this with its loss (cross-entropy.ts). */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { linear } from '../kernels/products/linear';
import type { Hooks } from '../types';
import type { LanguageModel, OutputHead } from './model';

/** The model's output projection; throws where it has none. */
export function requireHead(model: LanguageModel): OutputHead {
  if (model.head) return model.head;
  throw new TabtuneError({
    code: 'bad_model',
    message: `This ${model.family} model has no language-modelling head, so it gives no logits over tokens.`,
    where: 'model.source',
    action: 'Choose a checkpoint with its head, or another objective.',
  });
}

/** hidden [R, d] -> logits [R, vocab]. */
export function projectLogits(head: OutputHead, hidden: tf.Tensor, hooks: Hooks): tf.Tensor {
  return tf.tidy(() => {
    const x = head.transform ? head.transform(hidden, hooks) : hidden;
    const weight = hooks.weight?.(head.weight) ?? head.weight;
    const bias = head.bias && (hooks.vector?.(head.bias) ?? head.bias);
    const logits = linear({ weight, bias }, x);
    const cap = head.softcap;
    return cap === null ? logits : tf.mul(tf.tanh(tf.div(logits, cap)), cap);
  });
}
