/**
 * The three axes of a run (model family × method × objective) as interfaces; none knows the others' names.
 * Shapes: B rows, T tokens a row, d hidden width. Hidden states travel as [B*T, d].
 */
import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * How a weight lies on the GPU, row-major. f32: a float32 tensor. f16, bf16: an int32 tensor, two values a word. The others
 * are int32 tensors of blocks: GGUF's exactly as they lie in the file, and NF4 (see kernels/weight-formats.ts).
 */
export type WeightFormat =
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'nf4'
  | 'q8_0'
  | 'q4_0'
  | 'q4_1'
  | 'q5_0'
  | 'q5_1'
  | 'q4_k'
  | 'q5_k'
  | 'q6_k';

/** Rows of a weight in a buffer of their own. */
export interface WeightPart {
  tensor: Tensor;
  rows: number;
}

export interface Weight {
  /** In order; more than one where a single buffer would pass the device's binding limit. */
  parts: WeightPart[];
  format: WeightFormat;
  /** Logical shape, [out, in] for a linear. */
  shape: number[];
}

/** A linear as the model calls it: `path` is Hugging Face's module path, e.g. `model.layers.0.self_attn.q_proj`. */
export interface LinearModule {
  path: string;
  weight: Weight;
  bias: Tensor | null;
  /** Hugging Face keeps this one as [in, out] (GPT-2's Conv1D); PEFT calls that fan_in_fan_out. */
  conv1d?: boolean;
}

/** What a method may change about a model's calls. A hook left out means the module runs as it is. */
export interface Hooks {
  /** Replaces y = x·Wᵀ (+ residual). `x` is [M, in]; returns [M, out], or null where it leaves the module alone. */
  linear?(module: LinearModule, x: Tensor, residual: Tensor | null): Tensor | null;
  /**
   * Runs one block (layer `index`, modules under `path`) on its input [M, d]; `run` computes it. Gradient checkpointing
   * keeps the input alone and runs the block again in the backward pass.
   */
  block?(path: string, index: number, x: Tensor, run: (x: Tensor) => Tensor): Tensor;
}
