/**
 * Virtual tokens: learned tokens that precede every text (PEFT's prompt learning). P of them, before T tokens:
 *
 *   a prompt   embeddings [P, d] before the text's, [B·(P+T), d] through the whole model; their hidden states are dropped
 *              again, so that everything else sees [B·T, d]
 *   a prefix   keys and values [P, kvHeads·headDim] before the text's in every layer
 *
 * Either way the text's positions start at P, and all of its tokens see all virtual ones (through a window, as usual,
 * the last keys before them). With a cache they enter with the first tokens and are stored like any others.
 *
 * A family calls `virtualTokens` once per pass, runs its blocks on `layerInput`, and attention on `keysAndValues`.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { virtualInputs } from '../kernels/attention/virtual-inputs';
import { prepend, rowsWithin } from '../kernels/moves/front-rows';
import type { Hooks } from '../types';
import { appendToCache } from './cache';
import type { KeyValueCache, ModelInput } from './model';

/** A pass as one layer sees it. */
export interface LayerInput extends Pick<ModelInput, 'positions' | 'visible' | 'batch' | 'length'> {
  cache: KeyValueCache | null;
  /** What precedes the layer's own keys and values, [P, kvHeads·headDim] each. */
  prefix: { k: tf.Tensor; v: tf.Tensor } | null;
}

export interface VirtualTokens {
  /** What the model runs on. */
  input: ModelInput;
  /** The text's embeddings, preceded by those of the prompt. */
  enter(x: tf.Tensor): tf.Tensor;
  /** Hidden states of the text alone; counts what the pass has added to a cache. */
  leave(hidden: tf.Tensor): tf.Tensor;
  /** Tensors of this pass that a block reads besides its input; none without virtual tokens. */
  beside(layer: number): tf.Tensor[];
  /** The pass as a layer sees it, made of these. */
  layerInput(beside: tf.Tensor[]): LayerInput;
  /** Positions are below this. */
  reach: number;
}

/** `both`: tokens also see those after them. */
export function virtualTokens(
  given: ModelInput,
  hooks: Hooks,
  { both = false }: { both?: boolean } = {},
): VirtualTokens {
  const { batch, length } = given;
  const cache = given.kind === 'cached' ? given.cache : null;
  const begun = cache !== null && cache.length > 0;
  const prompt = begun ? undefined : hooks.prompt;
  const prefix = begun ? undefined : hooks.prefix;
  if (prompt && prefix) throw new Error('A prompt and a prefix at once.');
  const virtual = prompt?.length ?? prefix?.length ?? 0;
  const reach = cache?.capacity ?? virtual + length;
  const leave = (hidden: tf.Tensor) => {
    if (cache) cache.length += virtual + length;
    if (!prompt) return hidden;
    const from = given.kind === 'text' && given.states === 'from_first' ? 0 : virtual;
    return rowsWithin(hidden, { batch, from, count: length });
  };
  if (virtual === 0) {
    const layerInput: LayerInput = { ...given, cache, prefix: null };
    return { input: given, enter: (x) => x, leave, beside: () => [], layerInput: () => layerInput, reach };
  }

  const as = prompt ? 'prompt' : 'prefix';
  const { positions, visible } = given;
  const types = given.kind === 'text' && given.types ? { types: given.types } : {};
  const own = virtualInputs({ positions, visible, ...types }, { batch, length, virtual, as, both });
  const input: ModelInput = { ...given, ...own, length: prompt ? virtual + length : length };
  const layers = prefix?.layers() ?? [];
  return {
    input,
    enter: (x) => (prompt ? prepend(prompt.embeddings(), x, batch) : x),
    leave,
    beside: (layer) => {
      const before = layers[layer];
      return [input.positions, input.visible, ...(before ? [before.k, before.v] : [])];
    },
    layerInput: ([positions, visible, k, v]) => ({
      ...input,
      positions: positions!,
      visible: visible!,
      cache,
      prefix: k && v ? { k, v } : null,
    }),
    reach,
  };
}

/** What a layer's queries attend to: the cache's or the prefix's keys and values, then its own. */
export function keysAndValues(
  { batch, length, cache, prefix }: LayerInput,
  layer: number,
  k: tf.Tensor,
  v: tf.Tensor,
): { k: tf.Tensor; v: tf.Tensor; keyLength: number; causal: boolean } {
  const virtual = prefix?.k.shape[0] ?? 0;
  if (cache) {
    if (prefix) appendToCache(cache, layer, prefix.k, prefix.v);
    return { ...appendToCache(cache, layer, k, v, cache.length + virtual), keyLength: cache.capacity, causal: false };
  }
  const all = prefix ? { k: prepend(prefix.k, k, batch), v: prepend(prefix.v, v, batch) } : { k, v };
  return { ...all, keyLength: virtual + length, causal: true };
}

/** How many precede a text. */
export const virtualLength = (hooks: Hooks): number => hooks.prompt?.length ?? hooks.prefix?.length ?? 0;
