/** What generation has room for: the context, the prompt in it, the cache, and how many texts share a pass. */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import type { LanguageModel } from '../models/model';
import { virtualLength } from '../models/virtual-tokens';
import type { Hooks } from '../types';
import { isGpu } from '../webgpu/backend';

/** Cache sizes are rounded up so that prompts of similar length share buffers. */
const CACHE_BUCKET = 64;

/** New tokens that there is room for after a prompt; throws bad_data if there is none. `name` is what the error calls it. */
export function roomFor(
  { contextLength }: Pick<LanguageModel, 'contextLength'>,
  hooks: Hooks,
  prompt: Int32Array,
  wanted: number,
  name = 'The prompt',
): { virtual: number; room: number } {
  // Virtual tokens enter with the first real ones and take up context and cache.
  const virtual = virtualLength(hooks);
  const context = contextLength - virtual;
  if (prompt.length === 0 || prompt.length >= context) {
    throw new TabtuneError({
      code: 'bad_data',
      message:
        prompt.length === 0
          ? `${name} is empty.`
          : `${name} has ${prompt.length} tokens, but the model's context holds ${context}${virtual > 0 ? ` besides the ${virtual} virtual tokens` : ''}.`,
      where: 'prompt',
      action: prompt.length === 0 ? 'Write a prompt.' : 'Shorten the prompt.',
    });
  }
  return { virtual, room: Math.min(wanted, context - prompt.length) };
}

/** Tokens that a row of a cache is made for when `tokens` are to fit. */
export const capacityFor = ({ contextLength }: Pick<LanguageModel, 'contextLength'>, tokens: number): number =>
  Math.min(contextLength, Math.ceil(tokens / CACHE_BUCKET) * CACHE_BUCKET);

/** Throws bad_model for an encoder. */
export function requireCache({ createCache, family }: Pick<LanguageModel, 'createCache' | 'family'>) {
  if (createCache) return createCache;
  throw new TabtuneError({
    code: 'bad_model',
    message: `A ${family} model cannot generate text.`,
    where: 'model.source',
    action: 'Choose a model that generates text.',
  });
}

/** Bytes that the cache of the rows that are answered at once may take, and the logits of their next tokens. */
const CACHE_BYTES = 512 * 2 ** 20;
const LOGITS_BYTES = 64 * 2 ** 20;

/** Rows of so many tokens that are answered at once: what fits, at least one, and at most `wanted`. */
export function rowsAtOnce(
  { keyValueWidth, layers, vocabSize }: Pick<LanguageModel, 'keyValueWidth' | 'layers' | 'vocabSize'>,
  capacity: number,
  wanted = Number.POSITIVE_INFINITY,
): number {
  const backend = tf.backend();
  const buffer = capacity * (keyValueWidth ?? 0) * 4;
  const largest = isGpu(backend) ? backend.device.limits.maxStorageBufferBindingSize : Number.POSITIVE_INFINITY;
  const fit = Math.min(CACHE_BYTES / (2 * layers * buffer), LOGITS_BYTES / (vocabSize * 4), largest / buffer, wanted);
  return Math.max(1, Math.floor(fit));
}

/** Tokens that are read in one pass, padding included, unless a single text has more. */
const TOGETHER = 1024;

/** Lengths are rounded up so that few distinct shapes occur. */
export const paddedLength = (tokens: number, context: number): number => Math.min(context, Math.ceil(tokens / 16) * 16);

/** Indices of the texts, equal ones together, in groups that are read in one pass: similar lengths, the longest first. */
export function beginTogether(texts: readonly Int32Array[]): number[][][] {
  const same = new Map<string, number[]>();
  for (const [i, text] of texts.entries()) {
    const key = text.join();
    const found = same.get(key);
    if (found) found.push(i);
    else same.set(key, [i]);
  }
  const lengthOf = ([first]: number[]) => texts[first!]!.length;
  const groups: number[][][] = [];
  let longest = 0;
  for (const indices of [...same.values()].sort((a, b) => lengthOf(b) - lengthOf(a))) {
    const group = groups.at(-1);
    if (group && (group.length + 1) * longest <= TOGETHER) {
      group.push(indices);
    } else {
      groups.push([indices]);
      longest = lengthOf(indices);
    }
  }
  return groups;
}
