/** Heads on a model's hidden states: finding one, adding one, and logits over tokens. */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { fewRows, takesFewRows } from '../kernels/products/few-rows';
import { linear } from '../kernels/products/linear';
import type { Hooks, LinearModule } from '../types';
import type { HeadKinds, HeadName, LanguageModel, LmHead, ModelTensor } from './model';

const MISSING: Record<HeadName, { lacks: string; action: string }> = {
  lm: {
    lacks: 'no language-modelling head, so it gives no logits over tokens',
    action: 'Choose a checkpoint with its head, or another objective.',
  },
  classification: {
    lacks: 'no classification head',
    action: 'Train a classifier with it, or open a checkpoint that has such a head.',
  },
};

/** Throws bad_model when the model does not have the head. */
export function requireHead<N extends HeadName>(
  { heads, family }: Pick<LanguageModel, 'heads' | 'family'>,
  name: N,
): HeadKinds[N] {
  const head = heads[name];
  if (head) return head;
  const { lacks, action } = MISSING[name];
  throw new TabtuneError({
    code: 'bad_model',
    message: `This ${family} model has ${lacks}.`,
    where: 'model.source',
    action,
  });
}

/** A head with what it is made of. */
export interface CreatedHead<N extends HeadName> {
  head: HeadKinds[N];
  tensors: ModelTensor[];
  /** Those that methods may wrap. */
  linears: LinearModule[];
  /** Frees what the head holds. */
  dispose(): void;
}

/** The model with a further head. It shares everything else with `model`, so that disposing it frees only the head. */
export function withHead<N extends HeadName>(model: LanguageModel, name: N, created: CreatedHead<N>): LanguageModel {
  return {
    ...model,
    heads: { ...model.heads, [name]: created.head },
    tensors: [...model.tensors, ...created.tensors],
    linears: [...model.linears, ...created.linears],
    dispose: created.dispose,
  };
}

/**
 * hidden [R, d] -> logits [R, vocab], for generation and checks; training fuses this with its loss (cross-entropy.ts).
 */
export function projectLogits(head: LmHead, hidden: tf.Tensor, hooks: Hooks): tf.Tensor {
  return tf.tidy(() => {
    const x = head.transform ? head.transform(hidden, hooks) : hidden;
    const weight = hooks.weight?.(head.weight) ?? head.weight;
    const bias = head.bias && (hooks.vector?.(head.bias) ?? head.bias);
    const module = { weight, bias, lora: null };
    const logits = takesFewRows(x.shape[0]!, [module]) ? fewRows(x, [module])[0]! : linear(module, x);
    const cap = head.softcap;
    return cap === null ? logits : tf.mul(tf.tanh(tf.div(logits, cap)), cap);
  });
}
