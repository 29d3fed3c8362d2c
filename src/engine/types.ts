/**
 * The three axes of a run (model family × method × objective) as interfaces; none knows the others' names.
 * Shapes: B rows, T tokens a row, d hidden width. Hidden states travel as [B*T, d].
 */
import type { Tensor } from '@tensorflow/tfjs-core';

/** How a frozen weight lies on the GPU. f32: float32 tensor [out, in]. bf16: int32 tensor, two values a word, row-major. */
export type WeightFormat = 'f32' | 'bf16';

export interface Weight {
  tensor: Tensor;
  format: WeightFormat;
  /** Logical shape, [out, in] for a linear. */
  shape: number[];
}

/** A linear as the model calls it: `path` is Hugging Face's module path, e.g. `model.layers.0.self_attn.q_proj`. */
export interface LinearModule {
  path: string;
  weight: Weight;
  bias: Tensor | null;
}

/** What a method may change about a model's calls. A hook left out means the module runs as it is. */
export interface Hooks {
  /** Replaces y = x·Wᵀ (+ residual). `x` is [M, in]; returns [M, out], or null where it leaves the module alone. */
  linear?(module: LinearModule, x: Tensor, residual: Tensor | null): Tensor | null;
}
