/**
 * NEFTune (Jain et al., 2023): during training, uniform noise of magnitude α/√(L·d) on the token embeddings. L is the
 * padded length of the batch, as in transformers' neftune_post_forward_hook; in the paper it is each text's own length.
 */
import { addNoise } from '../kernels/pointwise/noise';
import type { Hooks } from '../types';
import type { Live } from '../webgpu/live';

/** The hook for one forward pass, the `pass`-th of the run; undefined if alpha is 0. */
export function neftune(alpha: number, { seed, pass }: { seed: number; pass: Live }): Hooks['embeddings'] {
  if (alpha === 0) return undefined;
  return (x, { length }) => addNoise(x, { magnitude: alpha / Math.sqrt(length * x.shape[1]!), seed, step: pass });
}
