/**
 * The cache of keys and values of a chat between its turns, so that the next one computes only what is new in it. It belongs to one
 * model with one adapter at one strength; whoever changes one of them begins another.
 *
 * Only a text that goes on after an answer is continued. One that is asked again is read again, since reading it at once and token by
 * token round differently, and the first question of a chat must have the same answer with the same seed.
 */
import { keepLonger } from '../models/cache';
import { disposeCache, type KeyValueCache, type LanguageModel } from '../models/model';

interface Kept {
  cache: KeyValueCache;
  /** Tokens in it, without virtual ones. */
  ids: Int32Array;
  /** How many of them were the prompt. */
  prompt: number;
}

export class ChatCache {
  private kept: Kept | null = null;

  /** Of the turn before; it is the caller's from then on, so that two answers at once never write into one. */
  take(): Kept | null {
    const { kept } = this;
    this.kept = null;
    return kept;
  }

  put(kept: Kept): void {
    this.clear();
    this.kept = kept;
  }

  clear(): void {
    if (this.kept) disposeCache(this.kept.cache);
    this.kept = null;
  }
}

/** A cache for a text of at most `capacity` tokens, and how many of the prompt's tokens are in it already. */
export function beginWith(
  createCache: NonNullable<LanguageModel['createCache']>,
  kept: Kept | null,
  prompt: Int32Array,
  capacity: number,
): { cache: KeyValueCache; reused: number } {
  let same = 0;
  // The last token is always computed: the next one is drawn from it.
  while (kept && same < Math.min(kept.ids.length, prompt.length - 1) && kept.ids[same] === prompt[same]) same++;
  if (!kept || same <= kept.prompt) {
    if (kept) disposeCache(kept.cache);
    return { cache: createCache(1, capacity), reused: 0 };
  }
  const longer = kept.cache.capacity < capacity;
  return { cache: longer ? keepLonger(kept.cache, capacity) : kept.cache, reused: same };
}
