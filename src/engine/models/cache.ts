/** The key/value cache of a decoder: buffers of a fixed capacity that tokens are appended to in place. */
import * as tf from '@tensorflow/tfjs-core';
import { copyValues } from '../kernels/in-place';
import type { KeyValueCache } from './model';

/** `width` is kvHeads·headDim. */
export function emptyCache(capacity: number, layers: number, width: number): KeyValueCache {
  const buffer = () => tf.keep(tf.zeros([capacity, width]));
  return { capacity, length: 0, layers: Array.from({ length: layers }, () => ({ k: buffer(), v: buffer() })) };
}

/**
 * Writes a layer's new rows after the cached ones, or from row `at` on, and returns all of them. `cache.length` counts
 * them once every layer has written its own (virtual-tokens.ts).
 */
export function appendToCache(
  cache: KeyValueCache,
  layer: number,
  k: tf.Tensor,
  v: tf.Tensor,
  at = cache.length,
): { k: tf.Tensor; v: tf.Tensor } {
  const slot = cache.layers[layer]!;
  const [rows, width] = k.shape as [number, number];
  if (at + rows > cache.capacity) throw new Error(`The key/value cache holds ${cache.capacity} tokens.`);
  copyValues(k, 0, slot.k, at * width, rows * width);
  copyValues(v, 0, slot.v, at * width, rows * width);
  return slot;
}
