/**
 * NEFTune (Jain et al., 2023): while training, uniform noise on the embeddings of the tokens, of size α/√(L·d). L is the
 * padded length of the batch, as in transformers' neftune_post_forward_hook; the paper has each text's own length.
 */
import { addNoise } from '../kernels/pointwise/noise';
import type { Hooks } from '../types';

/** The hook for one forward pass, the `pass`-th of the run; undefined where alpha is 0. */
export function neftune(alpha: number, { seed, pass }: { seed: number; pass: number }): Hooks['embeddings'] {
  if (alpha === 0) return undefined;
  return (x, { length }) => addNoise(x, { magnitude: alpha / Math.sqrt(length * x.shape[1]!), seed, step: pass });
}
