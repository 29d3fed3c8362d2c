/** Products whose results have a place in a flat tensor (GradientPlace): the kernels' attributes, inputs and reference. */
import type * as tf from '@tensorflow/tfjs-core';
import type { GradientPlace, View } from '../kernel';

export interface PlacedAttrs {
  /** Where each result starts in the input `flat`; null if the results are tensors of their own. */
  offsets: number[] | null;
  add: boolean;
}

/** Of places in one flat tensor that are all added to or all overwritten; the results are tensors where there are none. */
export function placedAttrs(places: (GradientPlace | undefined)[] | null): PlacedAttrs & { flat?: tf.Tensor } {
  const [first] = places ?? [];
  if (!first || places!.some((place) => place?.flat !== first.flat || place.add !== first.add)) {
    return { offsets: null, add: false };
  }
  return { offsets: places!.map((place) => place!.offset), add: first.add, flat: first.flat };
}

/** The reference: `compute` adds to arrays of zeros, of `sizes` values each, which become the outputs or go to their places. */
export function computePlaced(
  { flat }: Record<string, View>,
  { offsets, add }: PlacedAttrs,
  outputs: (Float32Array | Int32Array)[],
  sizes: number[],
  compute: (results: Float32Array[]) => void,
): void {
  if (!offsets) {
    compute(outputs as Float32Array[]);
    return;
  }
  const results = sizes.map((size) => new Float32Array(size));
  compute(results);
  const target = flat!.data;
  results.forEach((result, i) => {
    result.forEach((value, j) => {
      const at = offsets[i]! + j;
      target[at] = add ? target[at]! + value : value;
    });
  });
}
