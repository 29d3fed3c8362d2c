/** Streaming generation for one text with a key/value cache: the prompt in one pass, then one token at a time. */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { cacheVisible } from '../kernels/attention/visible';
import { int32Input } from '../kernels/inputs';
import { projectLogits, requireHead } from '../models/heads';
import { textInput } from '../models/input';
import { disposeCache, type KeyValueCache, type LanguageModel } from '../models/model';
import { virtualLength } from '../models/virtual-tokens';
import { forwardOnly } from '../run/checkpointing';
import type { Hooks } from '../types';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import type { GenerateOptions } from './options';
import { sampleToken } from './sampler';

/** Cache sizes are rounded up so that prompts of similar length share buffers. */
const CACHE_BUCKET = 64;

/** Logits [vocab] of the token after `ids`, which are appended to the cache. */
function nextLogits(model: LanguageModel, hooks: Hooks, ids: Int32Array, cache: KeyValueCache): Promise<Float32Array> {
  const n = ids.length;
  const past = cache.length;
  beginWork();
  const logits = tf.tidy(() => {
    const hidden = model.hidden(
      {
        kind: 'cached',
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
      forwardOnly(hooks),
    );
    const last = tf.slice(hidden, [n - 1, 0], [1, model.hiddenSize]);
    return projectLogits(requireHead(model, 'lm'), last, hooks);
  });
  const read = readFloats(logits);
  logits.dispose();
  return read;
}

/**
 * Generates token ids after `prompt` and passes each to `onToken` as it comes. Ends before a stop token, at
 * maxNewTokens, at the end of the context, or when `signal` aborts (then returns the tokens so far).
 */
export async function generate(
  model: LanguageModel,
  hooks: Hooks,
  prompt: Int32Array,
  options: GenerateOptions,
  onToken: (id: number) => void = () => {},
  signal?: AbortSignal,
): Promise<Int32Array> {
  // Virtual tokens enter with the first real ones and take up context and cache.
  const virtual = virtualLength(hooks);
  const context = model.contextLength - virtual;
  if (prompt.length === 0 || prompt.length >= context) {
    throw new TabtuneError({
      code: 'bad_data',
      message:
        prompt.length === 0
          ? 'The prompt is empty.'
          : `The prompt has ${prompt.length} tokens, but the model's context holds ${context}${virtual > 0 ? ` besides the ${virtual} virtual tokens` : ''}.`,
      where: 'prompt',
      action: prompt.length === 0 ? 'Write a prompt.' : 'Shorten the prompt.',
    });
  }
  if (!model.createCache) {
    throw new TabtuneError({
      code: 'bad_model',
      message: `A ${model.family} model cannot generate text.`,
      where: 'model.source',
      action: 'Choose a model that generates text.',
    });
  }
  const room = Math.min(options.maxNewTokens, context - prompt.length);
  const tokens = virtual + prompt.length + room;
  const capacity = Math.min(model.contextLength, Math.ceil(tokens / CACHE_BUCKET) * CACHE_BUCKET);
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
export async function textLogits(model: LanguageModel, hooks: Hooks, ids: Int32Array): Promise<Float32Array> {
  const n = ids.length;
  beginWork();
  const logits = tf.tidy(() => {
    const input = textInput(model, { batchSize: 1, length: n, ids, lengths: Int32Array.of(n) });
    const hidden = model.hidden(input, forwardOnly(hooks));
    return projectLogits(requireHead(model, 'lm'), hidden, hooks);
  });
  try {
    return await readFloats(logits);
  } finally {
    logits.dispose();
  }
}
