/** Rows of tokens with labels, for TRL's SFTTrainer. */
import { IGNORE_INDEX } from '../../../../base/ignore-index';
import type { TokenizedExample } from '../../../../data/types';
import type { TrainingData } from '../../training-data';
import type { Python, Settings } from '../part';
import nextToken from '../python/collate_next_token.py?raw';
import packed from '../python/collate_packed.py?raw';

export const SFT_TRAINER = { name: 'SFTTrainer', config: 'SFTConfig', module: 'trl' };

/** Whether a row holds several texts. */
export const isPacked = ({ train, validation, replayed }: TrainingData): boolean =>
  [train, validation, replayed].some((rows) => rows.some((row) => row.kind === 'next_token' && row.starts !== null));

export function nextTokenRow(example: TokenizedExample, inPacks: boolean): Settings {
  if (example.kind !== 'next_token') throw new Error(`A row of the kind ${example.kind} has no next tokens.`);
  const { ids, labels, starts } = example;
  // Nothing predicts the first token, and not every trainer leaves it out of the count.
  const own = [...labels];
  if (own.length > 0) own[0] = IGNORE_INDEX;
  return {
    input_ids: [...ids],
    labels: own,
    ...(inPacks ? { seq_lengths: textLengths(starts ?? new Int32Array(ids.length)) } : {}),
  };
}

/** Lengths of the texts of a row, in order. */
function textLengths(starts: Int32Array): number[] {
  const begins = [...new Set(starts)].sort((a, b) => a - b);
  return begins.map((begin, i) => (begins[i + 1] ?? starts.length) - begin);
}

export const nextTokenBatches = (data: TrainingData): Python => ({
  imports: [],
  definitions: [isPacked(data) ? packed : nextToken],
});
