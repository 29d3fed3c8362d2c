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

/** Where in a block a sub-layer's output is added to its input. */
export interface SublayerPlace {
  /** The block's path, `model.layers.0`. */
  block: string;
  index: number;
  part: 'attention' | 'feed_forward';
  /** The block's other half stands beside this one, so that the residual is not what this one read. */
  parallel?: true;
}

/** What a method may change about a model's calls. A hook left out means the module runs as it is. */
export interface Hooks {
  /** What stands in for a weight of the model: itself, or its trained form. */
  weight?(weight: Weight): Weight;
  /** The same for norms' weights and for biases. */
  vector?(vector: Tensor): Tensor;
  /**
   * A sub-layer's output `y` [M, d] joins its `residual` [M, d]; `norm` is what a post-norm family (BERT) runs on the sum, null
   * elsewhere; `own` is the norm that a sandwich family (Gemma) runs on `y` alone before it is added, null elsewhere. Gives
   * the sum, with its norms where there are any. Bottleneck adapters stand here.
   */
  sublayer?(
    place: SublayerPlace,
    y: Tensor,
    residual: Tensor,
    norm: ((x: Tensor) => Tensor) | null,
    own: ((y: Tensor) => Tensor) | null,
  ): Tensor;
  /** The model's own dropout, of rate `p`; `site` numbers the place within the model. */
  dropout?(x: Tensor, p: number, site: number): Tensor;
  /** For dropout inside the attention kernel: what its mask is drawn from. */
  attentionDropout?: { seed: number; step: number };
  /** On the embeddings of the tokens [B·T, d], before the first block: NEFTune's noise. */
  embeddings?(x: Tensor, input: { batch: number; length: number }): Tensor;
  /** Embeddings [P, d] that come before those of every text, made anew in every pass. */
  prompt?: { length: number; embeddings(): Tensor };
  /**
   * Keys and values [P, kvHeads·headDim] of every layer that come before those of every text, as a cache keeps them (keys
   * turned); made anew in every pass, before the blocks.
   */
  prefix?: { length: number; layers(): { k: Tensor; v: Tensor }[] };
  /** Replaces y = x·Wᵀ (+ residual); `module` comes with what `weight` and `vector` put in place. `x` is [M, in]; returns [M, out], or null where it leaves the module alone. */
  linear?(module: LinearModule, x: Tensor, residual: Tensor | null): Tensor | null;
  /**
   * Runs one block (layer `index`, modules under `path`) on its input [M, d]; `run` computes it. Gradient checkpointing
   * keeps the input alone and runs the block again in the backward pass. `beside` are tensors of this pass that the block
   * reads as well; `run` takes others in their place, and these where it is given none.
   */
  block?(
    path: string,
    index: number,
    x: Tensor,
    run: (x: Tensor, beside?: Tensor[]) => Tensor,
    beside?: Tensor[],
  ): Tensor;
}
