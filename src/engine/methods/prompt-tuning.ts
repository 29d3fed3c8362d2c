/**
 * Prompt tuning (Lester et al., 2021) as defined by PEFT's `PromptTuningConfig`: embeddings [P, d] before those of every text.
 * They are initialised from N(0, 1), from the embeddings of tokens drawn from the vocabulary, or from those of a text repeated or
 * truncated to P tokens. If a model scales its embeddings (Gemma), the initial values are scaled, but the prompt itself never is.
 * PEFT's tensor is `prompt_embeddings`.
 *
 * A text's first token is never a target, just as without a prompt. In PEFT it is one, predicted from the last virtual token,
 * unless its label masks it.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { Stream, uniform } from '../../base/random';
import type { PromptMethod } from '../../methods/prompt-tuning';
import type { LanguageModel } from '../models/model';
import { normals } from './initial-values';
import type { Method, MethodTwin } from './method';
import { type NamedTensors, tensorMaker } from './tensors';

/** The tensor that PEFT saves for every kind of virtual tokens. */
export const PROMPT_EMBEDDINGS = 'prompt_embeddings';

export type PromptSettings = Pick<PromptMethod, 'num_virtual_tokens' | 'prompt_tuning_init'>;

export interface PromptExtras {
  /** Tokens of prompt_tuning_init_text, for TEXT. */
  initIds?: ArrayLike<number>;
}

export function createPromptTuning(
  model: LanguageModel,
  settings: PromptSettings,
  seed: number,
  values?: NamedTensors,
  { initIds }: PromptExtras = {},
): Method {
  const count = settings.num_virtual_tokens;
  const maker = tensorMaker(values);
  try {
    const embeddings = maker.make(PROMPT_EMBEDDINGS, [count, model.hiddenSize], () => {
      switch (settings.prompt_tuning_init) {
        case 'RANDOM':
          return normals(count * model.hiddenSize, seed);
        case 'SAMPLE_VOCAB':
          return embedded(
            model,
            Int32Array.from({ length: count }, (_, i) => Math.floor(uniform(seed, Stream.init, i) * model.vocabSize)),
          );
        case 'TEXT':
          return embedded(model, repeated(initIds ?? [], count, 'method.prompt_tuning_init_text'));
      }
    });
    maker.finish();
    return promptMethod(count, [[PROMPT_EMBEDDINGS, embeddings]], () => embeddings, maker.dispose);
  } catch (error) {
    maker.dispose();
    throw error;
  }
}

/**
 * A method with `count` virtual tokens whose embeddings `make` computes on the tape. Any strength other than 0 counts as 1, since
 * there is no such thing as half a token.
 */
export function promptMethod(
  count: number,
  trainable: [string, tf.Tensor][],
  make: () => tf.Tensor,
  dispose: () => void,
): Method {
  return {
    trainable: new Map(trainable),
    hooks: ({ strength }) => (strength === 0 ? {} : { prompt: { length: count, embeddings: make } }),
    delta: () => null,
    saved: () => new Map([[PROMPT_EMBEDDINGS, tf.tidy(() => make().clone())]]),
    dispose,
  };
}

/** `ids` repeated or truncated to `count`, as PEFT fits a text to the length of its prompt. */
export function repeated(ids: ArrayLike<number>, count: number, where: string): Int32Array {
  if (ids.length === 0) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: 'The initial text of the virtual tokens has no tokens.',
      where,
      action: 'Write a text, or choose a random initialisation.',
    });
  }
  return Int32Array.from({ length: count }, (_, i) => ids[i % ids.length]!);
}

function embedded(model: LanguageModel, ids: Int32Array): tf.Tensor {
  return tf.tidy(() => model.wordEmbeddings(tf.tensor1d(ids, 'int32')));
}

export const promptTuning: MethodTwin<PromptMethod> = {
  type: 'prompt_tuning',
  create: (model, section, { seed, values, initText }) =>
    createPromptTuning(model, section, seed, values, { initIds: initText }),
};
