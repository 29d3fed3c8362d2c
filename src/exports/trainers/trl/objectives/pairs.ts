/** Rows of pairs and of judged answers, and what TRL's trainers of preferences share. */
import type { TokenizedExample } from '../../../../data/types';
import type { TrainingData } from '../../training-data';
import type { Python, Settings } from '../part';
import asTokenised from '../python/as_tokenised.py?raw';
import padding from '../python/padding.py?raw';

/** Both answers behind their prompts, and how many tokens these have. */
export function pairRow(example: TokenizedExample): Settings {
  if (example.kind !== 'pair') throw new Error(`A row of the kind ${example.kind} has no two answers.`);
  const { ids, rejected, promptLength, rejectedPromptLength = promptLength } = example;
  return {
    chosen_ids: [...ids],
    rejected_ids: [...rejected],
    chosen_prompt: promptLength,
    rejected_prompt: rejectedPromptLength,
  };
}

/** A collator, and the rows as they are. */
export const asTokenisedBatches = (
  definitions: readonly string[],
  mixins: NonNullable<Python['mixins']> = [],
): Python => ({
  imports: [],
  definitions: [padding, ...definitions],
  mixins: [...mixins, { name: 'AsTokenised', code: asTokenised }],
});

/** TRL switches the model's dropout off for preferences, unless it is told otherwise. */
export const dropoutSetting = ({ recipe }: TrainingData): Settings => ({
  disable_dropout: !recipe.training.model_dropout,
});

export const PRECOMPUTED =
  'The reference is asked at every step, and not ahead of the run (precompute_ref_log_probs): the sums are the same.';
