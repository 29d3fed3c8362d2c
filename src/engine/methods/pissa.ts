/**
 * PiSSA (Meng et al., 2024): LoRA initialised with the r largest singular values of the weight, which are subtracted from the
 * frozen weight. With W = U·S·Vᵀ and LoRA's scale s, as in PEFT's `pissa_init`:
 *
 *   A₀ = √(S_r/s)·V_rᵀ   B₀ = U_r·√(S_r/s)   and   y = x·(W − s·B₀·A₀)ᵀ + s·x·(B·A)ᵀ
 *
 * The difference W − s·B₀·A₀ is never materialised. The unchanged W with factors [A; A₀] and [B, −B₀] of rank 2r gives the same
 * values, in float32 whatever the precision of W. So a quantised base stays as it is (QPiSSA has to quantise it again), the base
 * remains available without the adapter, and the export is plain LoRA on the unchanged base, as PEFT converts it
 * (`subtract_mutated_init`).
 *
 * The singular vectors come from subspace iteration (Halko, Martinsson and Tropp, 2011): products with W run on the device, the
 * rest here in float64. A subspace as wide as the weight's smaller side, which small weights get, is exact.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { Stream } from '../../base/random';
import { linear, linearBackwardInput } from '../kernels/products/linear';
import type { LanguageModel } from '../models/model';
import type { Weight } from '../types';
import { readFloats } from '../webgpu/backend';
import { checkPatterns, type LoraSettings, loraModules, loraNames } from './lora-scale';
import { normal } from './normal-number';
import { orthogonalRows, rowsOfProduct, singularRows } from './singular-values';
import type { NamedTensors } from './tensors';

/** Oversampling: extra singular vectors, which make the wanted ones converge. */
const SPARE = 16;
const MOST_ROUNDS = 10;
/** Weights with at most this many rows or columns get a subspace of full width. */
const SMALL = 64;
/** Iteration ends when a round captures at most this fraction more of the weight. */
const ENOUGH = 1e-8;

/** x [l, in] -> x·Wᵀ [l, out], or y [l, out] -> y·W [l, in]. */
async function product(weight: Weight, rows: Float64Array, count: number, back: boolean): Promise<Float64Array> {
  const result = tf.tidy(() => {
    const x = tf.tensor(Float32Array.from(rows), [count, rows.length / count], 'float32');
    return back ? linearBackwardInput(x, weight) : linear({ weight, bias: null }, x);
  });
  try {
    return Float64Array.from(await readFloats(result));
  } finally {
    result.dispose();
  }
}

/**
 * The `rank` largest singular values with their vectors: left [rank, out] with unit rows, right [rank, in] with rows scaled by the
 * singular values, values [rank].
 */
export async function largestSingular(
  weight: Weight,
  rank: number,
  seed: number,
  stopIfAsked: () => void = () => {},
): Promise<{ left: Float64Array; right: Float64Array; values: Float64Array }> {
  const [out, width] = weight.shape as [number, number];
  const side = Math.min(out, width);
  const count = side <= SMALL ? side : Math.min(side, rank + Math.max(rank, SPARE));
  let rows: Float64Array = Float64Array.from({ length: count * width }, (_, i) => normal(seed, Stream.init, i));
  let found = 0;
  for (let round = 1; ; round++) {
    stopIfAsked();
    const left = await product(weight, rows, count, false);
    orthogonalRows(left, count);
    const right = await product(weight, left, count, true);
    const now = right.reduce((sum, v) => sum + v * v, 0);
    if (round === MOST_ROUNDS || count === side || now <= found * (1 + ENOUGH)) {
      // W ≈ leftᵀ·right and right = triangle·q, so the singular values are those of the small triangle.
      const triangle = orthogonalRows(right, count);
      const { values, rotation } = singularRows(triangle, count);
      return {
        left: rowsOfProduct(rotation, left, count, rank),
        right: rowsOfProduct(triangle, right, count, rank),
        values: values.subarray(0, rank),
      };
    }
    found = now;
    rows = right;
  }
}

export interface PissaOptions {
  signal?: AbortSignal;
  /** Number of linear layers done, and in total. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * PiSSA's initial values for `createLora`: A, B and their frozen copies for every target. Reads back a few small matrices per
 * linear layer and yields in between; throws `cancelled` when `signal` fires.
 */
export async function startPissa(
  model: LanguageModel,
  settings: LoraSettings,
  seed: number,
  { signal, onProgress }: PissaOptions = {},
): Promise<NamedTensors> {
  const stopIfAsked = () => {
    if (signal?.aborted) throw new TabtuneError({ code: 'cancelled', message: 'The preparation was cancelled.' });
  };
  checkPatterns(model, settings);
  const values: NamedTensors = new Map();
  const modules = loraModules(model, settings);
  for (const [i, { module, rank, scale }] of modules.entries()) {
    const [out, width] = module.weight.shape as [number, number];
    if (rank > Math.min(out, width)) {
      throw new TabtuneError({
        code: 'bad_recipe',
        message: `PiSSA cannot take ${rank} singular values from a weight of shape [${out}, ${width}] (${module.path}).`,
        where: 'method.r',
        action: `Use a rank of at most ${Math.min(out, width)}.`,
      });
    }
    const { left, right, values: sizes } = await largestSingular(module.weight, rank, seed + i, stopIfAsked);
    const a = new Float32Array(rank * width);
    const b = new Float32Array(out * rank);
    for (let k = 0; k < rank; k++) {
      // The rows of `right` are scaled by the singular values.
      const size = sizes[k]!;
      const root = Math.sqrt(size / scale);
      for (let j = 0; j < width; j++) a[k * width + j] = size > 0 ? (root / size) * right[k * width + j]! : 0;
      for (let j = 0; j < out; j++) b[j * rank + k] = root * left[k * out + j]!;
    }
    const names = loraNames(module.path);
    values.set(names.a, { shape: [rank, width], data: a });
    values.set(names.b, { shape: [out, rank], data: b });
    // A copy, since a backend may keep the array that it is given, and A will change.
    values.set(names.startA, { shape: [rank, width], data: a.slice() });
    values.set(names.startB, { shape: [out, rank], data: b.map((v) => -v) });
    onProgress?.(i + 1, modules.length);
  }
  return values;
}
