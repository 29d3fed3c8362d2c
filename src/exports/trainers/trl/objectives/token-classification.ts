/** Labels of words, in transformers' Trainer. */
import type { TokenClassificationObjective } from '../../../../objectives/token-classification';
import type { TrlObjective } from '../part';
import collate from '../python/collate_words.py?raw';
import padding from '../python/padding.py?raw';
import { sequenceClassification } from './sequence-classification';

export const tokenClassification: TrlObjective<TokenClassificationObjective> = {
  type: 'token_classification',
  trainer: sequenceClassification.trainer,
  command: null,
  virtualTokens: true,
  row(example) {
    if (example.kind !== 'token_labels') throw new Error(`A row of the kind ${example.kind} has no labels of words.`);
    return { input_ids: [...example.ids], labels: [...example.labels] };
  },
  batches: ({ recipe: { method } }) => {
    // A prefix has keys and values, and no scores.
    const scored = 'num_virtual_tokens' in method && !('prefix_projection' in method);
    const constant = `VIRTUAL_TOKENS = ${scored ? method.num_virtual_tokens : 0}`;
    return { imports: [], definitions: [constant, padding, collate] };
  },
  mean: 'micro_batch',
  settings: () => ({}),
};
