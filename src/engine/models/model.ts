/** What every model family offers to methods, objectives and generation. Hidden states travel as [B·T, d]. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Hooks, LinearModule, Weight } from '../types';

/** Where a family reads its tensors from; names are those of the Hugging Face checkpoint. */
export interface WeightSource {
  has(name: string): boolean;
  /** Raw little-endian bytes as stored. Throws when the tensor is missing. */
  read(name: string): Promise<{ dtype: 'F32' | 'F16' | 'BF16'; shape: number[]; bytes: ArrayBuffer }>;
}

/** Keys and values of the tokens so far, for one row of text. */
export interface KeyValueCache {
  /** Tokens it can hold. */
  capacity: number;
  /** Tokens it holds. */
  length: number;
  /** One pair a layer, [capacity, kvHeads·headDim]. */
  layers: { k: tf.Tensor; v: tf.Tensor }[];
}

export interface ModelInput {
  /** int32 [B·T] */
  ids: tf.Tensor;
  /** int32 [B·T], positions of the tokens in their text. */
  positions: tf.Tensor;
  /** int32 [B·T, 2]: the keys [first, end) of its row that a token attends to. */
  visible: tf.Tensor;
  batch: number;
  length: number;
  /** With a cache B is 1; new keys and values are appended, and `visible` counts within the cache. */
  cache?: KeyValueCache;
}

export interface CausalModel {
  /** Hugging Face's model_type. */
  family: string;
  layers: number;
  hiddenSize: number;
  vocabSize: number;
  contextLength: number;
  /** Weights, counted as Hugging Face does (tied embeddings once). */
  parameters: number;
  /** Every linear a method may wrap, in the order of execution; the output projection is not among them. */
  linears: LinearModule[];
  /** The output projection [vocab, d]; the embedding itself when tied. */
  output: Weight;
  /** Hidden states after the final norm, [B·T, d]. */
  hidden(input: ModelInput, hooks: Hooks): tf.Tensor;
  createCache(capacity: number): KeyValueCache;
  dispose(): void;
}

export function disposeCache(cache: KeyValueCache): void {
  for (const { k, v } of cache.layers) {
    k.dispose();
    v.dispose();
  }
}
