/** Streaming generation for one row of text with a key/value cache: the prompt in one pass, then a token at a time. */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { linear } from '../kernels/linear';
import { cacheVisible } from '../kernels/visible';
import { type CausalModel, disposeCache, type KeyValueCache } from '../models/model';
import { int32Input } from '../training/inputs';
import type { Hooks } from '../types';
import { readFloats } from '../webgpu/backend';
import { type SamplingOptions, sampleToken } from './sampler';

export interface GenerateOptions extends SamplingOptions {
  maxNewTokens: number;
  stopTokenIds: number[];
}

/** Cache sizes are rounded up, so that prompts of similar length share buffers. */
const CACHE_BUCKET = 64;

/** Logits [vocab] of the token after `ids`, which are appended to the cache. */
function nextLogits(model: CausalModel, hooks: Hooks, ids: Int32Array, cache: KeyValueCache): Promise<Float32Array> {
  const n = ids.length;
  const past = cache.length;
  const logits = tf.tidy(() => {
    const hidden = model.hidden(
      {
        ids: int32Input('ids', ids, [n]),
        positions: int32Input(
          'positions',
          Int32Array.from({ length: n }, (_, i) => past + i),
          [n],
        ),
        visible: int32Input('visible', cacheVisible(past, n), [n, 2]),
        batch: 1,
        length: n,
        cache,
      },
      hooks,
    );
    const last = tf.slice(hidden, [n - 1, 0], [1, model.hiddenSize]);
    return linear({ weight: model.output, bias: null }, last);
  });
  const read = readFloats(logits);
  logits.dispose();
  return read;
}

/**
 * New token ids after `prompt`, each given to `onToken` as it comes. Ends before a stop token, at maxNewTokens, where the
 * context ends, or when `signal` aborts (what came until then is returned).
 */
export async function generate(
  model: CausalModel,
  hooks: Hooks,
  prompt: Int32Array,
  options: GenerateOptions,
  onToken: (id: number) => void = () => {},
  signal?: AbortSignal,
): Promise<Int32Array> {
  if (prompt.length === 0 || prompt.length >= model.contextLength) {
    throw new TabtuneError({
      code: 'bad_data',
      message:
        prompt.length === 0
          ? 'The prompt is empty.'
          : `The prompt has ${prompt.length} tokens, but the model's context holds ${model.contextLength}.`,
      where: 'prompt',
      action: prompt.length === 0 ? 'Write something to answer.' : 'Shorten the prompt.',
    });
  }
  const room = Math.min(options.maxNewTokens, model.contextLength - prompt.length);
  const capacity = Math.min(model.contextLength, Math.ceil((prompt.length + room) / CACHE_BUCKET) * CACHE_BUCKET);
  const cache = model.createCache(capacity);
  const answer: number[] = [];
  try {
    let next = prompt;
    while (answer.length < room && !signal?.aborted) {
      const logits = await nextLogits(model, hooks, next, cache);
      const id = sampleToken(logits, prompt.length + answer.length, options);
      if (options.stopTokenIds.includes(id)) break;
      answer.push(id);
      onToken(id);
      next = Int32Array.of(id);
    }
  } finally {
    disposeCache(cache);
  }
  return Int32Array.from(answer);
}

/** Logits [T, vocab] of a whole text, for parity checks. */
export async function textLogits(model: CausalModel, hooks: Hooks, ids: Int32Array): Promise<Float32Array> {
  const n = ids.length;
  const logits = tf.tidy(() => {
    const hidden = model.hidden(
      {
        ids: int32Input('ids', ids, [n]),
        positions: int32Input(
          'positions',
          Int32Array.from({ length: n }, (_, i) => i),
          [n],
        ),
        visible: int32Input('visible', cacheVisible(0, n), [n, 2]),
        batch: 1,
        length: n,
      },
      hooks,
    );
    return linear({ weight: model.output, bias: null }, hidden);
  });
  try {
    return await readFloats(logits);
  } finally {
    logits.dispose();
  }
}
