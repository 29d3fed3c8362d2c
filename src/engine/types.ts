/**
 * The interface between a model and a method: weights, modules and hooks. Shapes: B rows, T tokens per row, d hidden
 * width. Hidden states are [B·T, d].
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Live } from './webgpu/live';

/**
 * How a weight is stored on the GPU, row-major. f32: a float32 tensor. f16, bf16: an int32 tensor, two values per word.
 * The others are quantised int32 tensors: GGUF's formats exactly as in the file, and NF4
 * (kernels/products/weight-formats.ts).
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

/** Some rows of a weight, in their own buffer. */
export interface WeightPart {
  tensor: Tensor;
  rows: number;
}

export interface Weight {
  /** In order; more than one if a single buffer would exceed the device's binding limit. */
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
  /** Hugging Face stores this one as [in, out] (GPT-2's Conv1D); PEFT calls that fan_in_fan_out. */
  conv1d?: boolean;
}

/** Where in a block a sub-layer's output is added to its input. */
export interface SublayerPlace {
  /** The block's path, `model.layers.0`. */
  block: string;
  index: number;
  part: 'attention' | 'feed_forward';
  /** The block's halves run in parallel, so the residual is not this one's input. */
  parallel?: true;
}

/** What a method may change about a model's calls. A hook left out means the module runs as it is. */
export interface Hooks {
  /** A weight of the model or its trained form. */
  weight?(weight: Weight): Weight;
  /** The same for norms' weights and for biases. */
  vector?(vector: Tensor): Tensor;
  /**
   * Adds a sub-layer's output `y` [M, d] to its `residual` [M, d]. `norm` is what a post-norm family (BERT) runs on the
   * sum, `own` the norm that a sandwich family (Gemma) runs on `y` before the addition; null in other families. Returns
   * the sum with its norms. Bottleneck adapters go here.
   */
  sublayer?(
    place: SublayerPlace,
    y: Tensor,
    residual: Tensor,
    norm: ((x: Tensor) => Tensor) | null,
    own: ((y: Tensor) => Tensor) | null,
  ): Tensor;
  /** The model's own dropout at rate `p`; `site` numbers its place within the model. */
  dropout?(x: Tensor, p: number, site: number): Tensor;
  /** For dropout inside the attention kernel: its mask is a function of these. */
  attentionDropout?: { seed: number; step: Live };
  /** On the embeddings of the tokens [B·T, d], before the first block: NEFTune's noise. */
  embeddings?(x: Tensor, input: { batch: number; length: number }): Tensor;
  /** Embeddings [P, d] that precede those of every text, computed in every pass. */
  prompt?: { length: number; embeddings(): Tensor };
  /**
   * Keys and values [P, kvHeads·headDim] of every layer that precede those of every text, as in a cache (rotary
   * positions applied to keys); computed in every pass, before the blocks.
   */
  prefix?: { length: number; layers(): { k: Tensor; v: Tensor }[] };
  /**
   * Replaces y = x·Wᵀ (+ residual); `module` already has what `weight` and `vector` return. `x` is [M, in]. Returns [M,
   * out], or null to leave the module as it is.
   */
  linear?(module: LinearModule, x: Tensor, residual: Tensor | null): Tensor | null;
  /**
   * The same for modules that read one x (queries, keys and values), whose products are then one: each module's output, or
   * null to run them one by one. Not asked if one of them is trained itself.
   */
  linears?(modules: LinearModule[], x: Tensor): Tensor[] | null;
  /**
   * What `linear` adds to a module, scale · (x·Aᵀ)·Bᵀ, or null for nothing: kernels may then compute it together with other modules.
   * Left out where `linear` may do anything else.
   */
  factors?(module: LinearModule): { a: Tensor; b: Tensor; scale: number } | null;
  /**
   * Runs one block (layer `index`, modules under `path`) on its input [M, d]; `run` computes it. Gradient checkpointing
   * keeps only the input and runs the block again in the backward pass. `beside` are other tensors of this pass that
   * the block reads; `run` accepts replacements for them.
   */
  block?(
    path: string,
    index: number,
    x: Tensor,
    run: (x: Tensor, beside?: Tensor[]) => Tensor,
    beside?: Tensor[],
  ): Tensor;
}
