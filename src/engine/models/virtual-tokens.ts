/**
 * Virtual tokens: learned tokens that precede every text (PEFT's prompt learning). P of them, before T tokens:
 *
 *   a prompt   embeddings [P, d] before the text's, [B·(P+T), d] through the whole model; their hidden states are dropped
 *              again, so that everything else sees [B·T, d]
 *   a prefix   keys and values [P, kvHeads·headDim] before the text's in every layer
 *
 * Either way the text's positions start at P, and all of its tokens see all virtual ones (through a window, as usual,
 * the last keys before them). With a cache they enter when texts begin and are stored like any others.
 *
 * A family calls `virtualTokens` once per pass, runs its blocks on `layerInput`, and attention on `keysAndValues` or `attended`.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { virtualInputs } from '../kernels/attention/virtual-inputs';
import { int32Input } from '../kernels/inputs';
import { prepend, rowsWithin } from '../kernels/moves/front-rows';
import type { Hooks } from '../types';
import { startRows, storeInCache } from './cache';
import type { CachedInput, ModelInput } from './model';
import type { Rotary } from './rope';

/** A pass as one layer sees it. */
export interface LayerInput extends Pick<ModelInput, 'positions' | 'visible' | 'batch' | 'length'> {
  /** Where keys and values are kept. */
  store: (Pick<CachedInput, 'cache' | 'begins'> & { into: tf.Tensor }) | null;
  /** What precedes the layer's own keys and values, [P, kvHeads·headDim] each. */
  prefix: { k: tf.Tensor; v: tf.Tensor } | null;
}

export interface VirtualTokens {
  /** What the model runs on. */
  input: ModelInput;
  /** The text's embeddings, preceded by those of the prompt. */
  enter(x: tf.Tensor): tf.Tensor;
  /** Hidden states of the text alone. */
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
  const store = given.kind === 'cached' ? storeOf(given) : null;
  const continues = store?.begins === null;
  const prompt = continues ? undefined : hooks.prompt;
  const prefix = continues ? undefined : hooks.prefix;
  if (prompt && prefix) throw new Error('A prompt and a prefix at once.');
  const virtual = prompt?.length ?? prefix?.length ?? 0;
  const reach = store?.cache.capacity ?? virtual + length;
  const leave = (hidden: tf.Tensor) => {
    if (!prompt) return hidden;
    const from = given.kind === 'text' && given.states === 'from_first' ? 0 : virtual;
    return rowsWithin(hidden, { batch, from, count: length });
  };
  if (virtual === 0) {
    const layerInput: LayerInput = { ...given, store, prefix: null };
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
      store,
      prefix: k && v ? { k, v } : null,
    }),
    reach,
  };
}

function storeOf({ cache, begins }: CachedInput): NonNullable<LayerInput['store']> {
  const pairs = begins ?? Array.from({ length: cache.rows }, (_, i) => [i, i] as const);
  return { cache, begins, into: int32Input('cache_rows', Int32Array.from(pairs.flat()), [pairs.length, 2]) };
}

/**
 * What a layer's queries attend to: keys and values of the prefix, then of their own texts; for rows that continue, those of
 * the cache.
 */
export function keysAndValues(
  { batch, length, positions, visible, store, prefix }: LayerInput,
  layer: number,
  k: tf.Tensor,
  v: tf.Tensor,
): { k: tf.Tensor; v: tf.Tensor; keyLength: number; causal: boolean } {
  if (store) {
    const { cache, begins, into } = store;
    storeInCache(cache, layer, { k, v, positions, visible, into }, length);
    if (!begins) return { ...cache.layers[layer]!, keyLength: cache.capacity, causal: false };
    const rows = begins.map(([, row]) => row);
    if (prefix) startRows(cache, layer, prefix, rows);
  }
  const virtual = prefix?.k.shape[0] ?? 0;
  const all = prefix ? { k: prepend(prefix.k, k, batch), v: prepend(prefix.v, v, batch) } : { k, v };
  return { ...all, keyLength: virtual + length, causal: true };
}

/** The same with queries, after their rotary positions, which are below `limit`. Overwrites q where rows continue. */
export function attended(
  input: LayerInput,
  layer: number,
  [q, k, v]: [q: tf.Tensor, k: tf.Tensor, v: tf.Tensor],
  rotary: Rotary | null,
  limit: number,
): { q: tf.Tensor; k: tf.Tensor; v: tf.Tensor; keyLength: number; causal: boolean } {
  const { positions, visible, length, store } = input;
  if (!rotary) return { q, ...keysAndValues(input, layer, k, v) };
  if (store && !store.begins) {
    const { layers, capacity } = store.cache;
    const slot = layers[layer]!;
    const stored = rotary.store(
      { q, k, v, positions, visible },
      { keys: slot.k, values: slot.v },
      { length, capacity },
    );
    if (stored) return { q, ...slot, keyLength: capacity, causal: false };
  }
  const [query, key] = rotary.turn(q, k, positions, limit);
  return { q: query, ...keysAndValues(input, layer, key, v) };
}

/** How many precede a text. */
export const virtualLength = (hooks: Hooks): number => hooks.prompt?.length ?? hooks.prefix?.length ?? 0;
