/**
 * Prompt tuning (Lester et al., 2021) as PEFT's `PromptTuningConfig` describes it: embeddings [P, d] before those of every
 * text. They begin at random from N(0, 1), as the embeddings of tokens drawn from the vocabulary, or as those of a text,
 * which is repeated or cut to P tokens. A model that scales its embeddings (Gemma) scales those that a prompt begins as,
 * and never the prompt. PEFT's tensor is `prompt_embeddings`.
 *
 * A text's first token is no target, as it is none without a prompt; PEFT makes it one, predicted from the last virtual
 * token, where its label says so.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { Stream, uniform } from '../../base/random';
import type { PromptMethod } from '../../methods/prompt-tuning';
import type { LanguageModel } from '../models/model';
import { normals } from './initial-values';
import type { Method, MethodTwin } from './method';
import { type NamedTensors, tensorMaker } from './tensors';

/** What PEFT saves of every kind of virtual token. */
export const PROMPT_EMBEDDINGS = 'prompt_embeddings';

export type PromptSettings = Pick<PromptMethod, 'num_virtual_tokens' | 'prompt_tuning_init'>;

export interface PromptExtras {
  /** Tokens of prompt_tuning_init_text; for TEXT. */
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
 * A method of `count` virtual tokens whose embeddings `make` computes, on the tape. Any strength but 0 is 1: there is no
 * half of a token.
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

/** `ids` over and over, cut to `count`: how PEFT makes a text as long as its prompt. */
export function repeated(ids: ArrayLike<number>, count: number, where: string): Int32Array {
  if (ids.length === 0) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: 'The text that the virtual tokens begin as has no tokens.',
      where,
      action: 'Write a text, or let them begin at random.',
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
