/** Streaming generation for one text with a key/value cache: the prompt in one pass, then one token at a time. */
import * as tf from '@tensorflow/tfjs-core';
import { projectLogits, requireHead } from '../models/heads';
import { textInput } from '../models/input';
import { disposeCache, type LanguageModel } from '../models/model';
import { forwardOnly } from '../run/checkpointing';
import type { Hooks } from '../types';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import { beginWith, type ChatCache } from './chat-cache';
import type { GenerateOptions } from './options';
import { capacityFor, requireCache, roomFor } from './room';
import { type TokenSteps, tokenSteps } from './token-steps';

/**
 * Generates token ids after `prompt` and passes each to `onToken` as it comes. Ends before a stop token, at
 * maxNewTokens, at the end of the context, or when `signal` aborts (then returns the tokens so far). With a `chat`, the
 * cache of its turn before is continued, and this one's kept for the next.
 */
export async function generate(
  model: LanguageModel,
  hooks: Hooks,
  prompt: Int32Array,
  options: GenerateOptions,
  onToken: (id: number) => void = () => {},
  signal?: AbortSignal,
  chat?: ChatCache,
): Promise<Int32Array> {
  const { virtual, room } = roomFor(model, hooks, prompt, options.maxNewTokens);
  const createCache = requireCache(model);
  const capacity = capacityFor(model, virtual + prompt.length + room);
  const { cache, reused } = beginWith(createCache, chat?.take() ?? null, prompt, capacity);
  const answer: number[] = [];
  let next = prompt.subarray(reused);
  let past = reused > 0 ? virtual + reused : 0;
  let ended = false;
  let steps: TokenSteps | null = null;
  try {
    steps = tokenSteps(model, hooks, cache, options);
    while (answer.length < room && !signal?.aborted) {
      const drawn = steps.next(next, past, prompt.length + answer.length);
      past += next.length + (past === 0 ? virtual : 0);
      const id = await drawn;
      if (options.stopTokenIds.includes(id)) break;
      answer.push(id);
      onToken(id);
      next = Int32Array.of(id);
    }
    ended = true;
  } finally {
    steps?.dispose();
    if (ended && chat && past > 0) {
      const ids = Int32Array.from([...prompt, ...answer]).subarray(0, past - virtual);
      chat.put({ cache, ids, prompt: prompt.length });
    } else disposeCache(cache);
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
