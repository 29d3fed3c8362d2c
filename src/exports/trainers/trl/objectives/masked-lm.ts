/** Masked language modelling in transformers' Trainer. What is hidden goes along, so that each step hides the same. */
import { IGNORE_INDEX } from '../../../../base/ignore-index';
import { maskTokens } from '../../../../base/masking';
import type { TokenizedExample } from '../../../../data/types';
import type { MaskedLmObjective } from '../../../../objectives/masked-lm';
import type { Settings, TrlObjective } from '../part';
import collate from '../python/collate_hidden.py?raw';
import padding from '../python/padding.py?raw';
import { sequenceClassification } from './sequence-classification';

function hidden(example: TokenizedExample) {
  if (example.kind !== 'hidden_tokens') throw new Error(`A row of the kind ${example.kind} has nothing to hide.`);
  return example;
}

export const maskedLm: TrlObjective<MaskedLmObjective> = {
  type: 'masked_lm',
  trainer: sequenceClassification.trainer,
  command: null,
  row: (example): Settings => ({ input_ids: [...hidden(example).ids] }),
  drawn({ mlm_probability }, rows, { data, vocabSize, pass }) {
    const { tokens, recipe } = data;
    const maskTokenId = tokens.mask;
    if (maskTokenId === null) throw new Error('The tokenizer has no mask token.');
    const own = rows.map(hidden);
    const length = data.paddedLength(rows);
    const batch = {
      ...{ batchSize: rows.length, length, lengths: Int32Array.from(own, ({ ids }) => ids.length) },
      ids: new Int32Array(rows.length * length),
      special: new Uint8Array(rows.length * length),
    };
    own.forEach(({ ids, special }, i) => {
      batch.ids.set(ids, i * length);
      batch.special.set(special, i * length);
    });
    const draw = pass === null ? {} : { seed: recipe.training.seed, pass };
    const { ids, pairs } = maskTokens(batch, { mlm_probability, maskTokenId, vocabSize }, draw);
    const labels = new Int32Array(ids.length).fill(IGNORE_INDEX);
    for (const [at, was] of pairs) labels[at] = was;
    return own.map(({ ids: { length: count } }, i) => ({
      input_ids: [...ids.subarray(i * length, i * length + count)],
      labels: [...labels.subarray(i * length, i * length + count)],
    }));
  },
  batches: () => ({ imports: [], definitions: [padding, collate] }),
  mean: 'micro_batch',
  settings: () => ({}),
  *differences() {
    yield 'A step in which no token happens to be hidden still moves the weights, by momentum and weight decay.';
  },
};
