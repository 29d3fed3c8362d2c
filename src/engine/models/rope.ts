/**
 * Rotary frequencies as transformers computes them (modeling_rope_utils.py), in f32 wherever it does, and a model's
 * tables.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Rope, RopeScaling } from '../../families/rope';
import { rotary, rotaryTables } from '../kernels/attention/rotary';
import { type NewTokens, type RotaryStore, storeRotated, storesRotated } from '../kernels/attention/rotary-store';
import type { Loader } from './weights';

/** One frequency per pair of dimensions, [dims / 2]. */
export function inverseFrequencies({ dims, theta, scaling }: Rope): Float32Array {
  const power = Float32Array.from({ length: dims / 2 }, (_, i) => theta ** Math.fround((2 * i) / dims));
  const plain = power.map((p) => 1 / p);
  if (!scaling) return plain;
  switch (scaling.rope_type) {
    case 'linear':
      return plain.map((f) => f / scaling.factor);
    case 'llama3':
      return llama3(plain, scaling);
    case 'yarn':
      return yarn(power, dims, theta, scaling);
    case 'longrope':
      // The model is limited to the context that the short factors are for (families/phi3.ts).
      return power.map((p, i) => 1 / Math.fround(Math.fround(scaling.short_factor[i]!) * p));
  }
}

/** Multiplies cosines and sines. */
export function rotaryScale({ scaling }: Rope): number {
  return scaling && 'attention_factor' in scaling ? scaling.attention_factor : 1;
}

/** Llama 3.1: long wavelengths are slowed by `factor`, short ones kept, those in between blended. */
function llama3(plain: Float32Array, s: Extract<RopeScaling, { rope_type: 'llama3' }>): Float32Array {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: context } = s;
  return plain.map((f) => {
    const wavelength = (2 * Math.PI) / f;
    if (wavelength > context / low) return f / factor;
    if (wavelength < context / high) return f;
    const smooth = (context / wavelength - low) / (high - low);
    return ((1 - smooth) * f) / factor + smooth * f;
  });
}

/** YaRN (Peng et al., 2023): over the dimensions, a ramp from frequencies that are kept to ones slowed by `factor`. */
function yarn(
  power: Float32Array,
  dims: number,
  theta: number,
  s: Extract<RopeScaling, { rope_type: 'yarn' }>,
): Float32Array {
  const dimension = (turns: number) =>
    (dims * Math.log(s.original_max_position_embeddings / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const round = (f: (x: number) => number, x: number) => (s.truncate ? f(x) : x);
  const low = Math.max(round(Math.floor, dimension(s.beta_fast)), 0);
  let high = Math.min(round(Math.ceil, dimension(s.beta_slow)), dims - 1);
  if (low === high) high += 0.001;
  return power.map((p, i) => {
    const ramp = Math.min(Math.max((i - low) / (high - low), 0), 1);
    return ramp / (s.factor * p) + (1 - ramp) / p;
  });
}

/** Rotary positions of some of a model's layers. */
export interface Rotary {
  /** q [N, Hq·D] and k [N, Hk·D] rotated by `positions`, all of which are below `limit`. */
  turn(q: tf.Tensor, k: tf.Tensor, positions: tf.Tensor, limit: number): [q: tf.Tensor, k: tf.Tensor];
  /**
   * The same in place, and the rotated keys and the values go into a row of a cache for each text (rotary-store.ts). False if the
   * device cannot do it in one dispatch; nothing has happened then.
   */
  store(
    tokens: NewTokens,
    cache: { keys: tf.Tensor; values: tf.Tensor },
    size: Pick<RotaryStore, 'length' | 'capacity'>,
  ): boolean;
}

const FIRST_POSITIONS = 1024;

/** Tables grow with the texts: those of a 128k context could take as much memory as a layer. */
export function createRotary(load: Loader, rope: Rope, headDim: number, context: number): Rotary {
  const frequencies = inverseFrequencies(rope);
  const scale = rotaryScale(rope);
  const make = (positions: number) => {
    const { cos, sin } = rotaryTables(Math.min(positions, context), frequencies, scale);
    return { positions, cos: load.own(cos), sin: load.own(sin) };
  };
  let tables = make(FIRST_POSITIONS);
  const reach = (limit: number) => {
    if (limit <= tables.positions) return;
    tf.dispose([tables.cos, tables.sin]);
    tables = make(2 ** Math.ceil(Math.log2(limit)));
  };
  return {
    turn(q, k, positions, limit) {
      reach(limit);
      return rotary(q, k, { cos: tables.cos, sin: tables.sin, positions, headDim });
    },
    store(tokens, cache, size) {
      if (!storesRotated(tf.backend())) return false;
      reach(size.capacity);
      storeRotated(tokens, cache, { ...size, cos: tables.cos, sin: tables.sin, headDim });
      return true;
    },
  };
}
