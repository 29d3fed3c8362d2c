/**
 * What masked language modelling hides, as transformers' DataCollatorForLanguageModeling draws it: each token that is not special is
 * chosen with mlm_probability; of the chosen, 80 % become the mask token, 10 % a random token, 10 % stay.
 *
 * The draw is a function of (seed, pass, position): Philox with the counter (position in the batch, pass, 0, masking
 * stream), one word each for whether, what and which. So each pass masks different tokens, a resumed run the same ones,
 * and evaluation, with zeros for both, always the same.
 */
import { philox4x32, Stream } from './random';

/** Padded rows: [batchSize · length], with the tokens that each has. */
interface Rows {
  batchSize: number;
  length: number;
  ids: Int32Array;
  lengths: Int32Array;
  /** 1 for tokens that are never masked. */
  special: Uint8Array;
}

export interface Masking {
  mlm_probability: number;
  maskTokenId: number;
  vocabSize: number;
}

export interface Masked {
  ids: Int32Array;
  /** Indices of the chosen tokens, and what they were. */
  pairs: [number, number][];
}

const share = (word: number) => (word >>> 8) / 2 ** 24;

export function maskTokens(batch: Rows, masking: Masking, { seed = 0, pass = 0 }): Masked {
  const { batchSize, length, lengths, special } = batch;
  const ids = batch.ids.slice();
  const pairs: [number, number][] = [];
  for (let b = 0; b < batchSize; b++) {
    for (let i = b * length; i < b * length + Math.min(length, lengths[b]!); i++) {
      if (special[i]) continue;
      const [whether, what, which] = philox4x32([i, pass, 0, Stream.masking], [seed >>> 0, 0]);
      if (share(whether) >= masking.mlm_probability) continue;
      pairs.push([i, batch.ids[i]!]);
      if (share(what) < 0.8) ids[i] = masking.maskTokenId;
      else if (share(what) < 0.9) ids[i] = Math.floor(share(which) * masking.vocabSize);
    }
  }
  return { ids, pairs };
}
