/** The key/value cache of a decoder: buffers of a fixed capacity for each row of text, written in place. */
import type * as tf from '@tensorflow/tfjs-core';
import { copyValues, keptZeros } from '../kernels/in-place';
import { type StoredRows, storeRows } from '../kernels/moves/store-rows';
import type { KeyValueCache } from './model';

/** `width` is kvHeads·headDim. Zeros, because attention may multiply what it does not see by 0. */
export function emptyCache(rows: number, capacity: number, layers: number, width: number): KeyValueCache {
  const buffer = () => keptZeros([rows * capacity, width]);
  return { rows, capacity, layers: Array.from({ length: layers }, () => ({ k: buffer(), v: buffer() })) };
}

/** Stores a layer's new keys and values, each at its token's position. */
export function storeInCache(cache: KeyValueCache, layer: number, given: StoredRows, length: number): void {
  const { k: keys, v: values } = cache.layers[layer]!;
  storeRows(given, { keys, values }, { length, capacity: cache.capacity });
}

/** Puts a prefix [P, w] first in each of `rows`. */
export function startRows(
  cache: KeyValueCache,
  layer: number,
  prefix: { k: tf.Tensor; v: tf.Tensor },
  rows: readonly number[],
): void {
  const slot = cache.layers[layer]!;
  const width = prefix.k.shape[1]!;
  for (const row of rows) {
    copyValues(prefix.k, 0, slot.k, row * cache.capacity * width, prefix.k.size);
    copyValues(prefix.v, 0, slot.v, row * cache.capacity * width, prefix.v.size);
  }
}

/** A cache with room for more tokens in each row; `cache` is disposed. */
export function keepLonger(cache: KeyValueCache, capacity: number): KeyValueCache {
  const { rows } = cache;
  const moved = (from: tf.Tensor) => {
    const width = from.shape[1]!;
    const to = keptZeros([rows * capacity, width]);
    const size = cache.capacity * width;
    for (let row = 0; row < rows; row++) copyValues(from, row * size, to, row * capacity * width, size);
    from.dispose();
    return to;
  };
  return { rows, capacity, layers: cache.layers.map(({ k, v }) => ({ k: moved(k), v: moved(v) })) };
}

/** A cache of some of the rows, in this order; `cache` is disposed. */
export function keepRows(cache: KeyValueCache, rows: readonly number[]): KeyValueCache {
  const { capacity } = cache;
  const moved = (from: tf.Tensor) => {
    const size = capacity * from.shape[1]!;
    const to = keptZeros([rows.length * capacity, from.shape[1]!]);
    for (const [i, row] of rows.entries()) copyValues(from, row * size, to, i * size, size);
    // At once, so that never more than one layer is there twice.
    from.dispose();
    return to;
  };
  return { rows: rows.length, capacity, layers: cache.layers.map(({ k, v }) => ({ k: moved(k), v: moved(v) })) };
}
