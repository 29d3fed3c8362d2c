/**
 * Text of the kind that the base was trained on, in pieces: for replay, for EWC's Fisher information, and to measure what
 * was forgotten. It is read beside the open dataset, which stays as it is. Texts are taken as they stand: an end that the
 * base never saw would be most of what there is to lose.
 */
import { TabtuneError } from '../base/errors';
import type { ObjectiveSection, ObjectiveType } from '../recipe/types';
import { targetsOf } from './batches';
import { encodeExample } from './encode-objective';
import { parseDataset } from './parse';
import type { RenderOptions } from './render';
import type { TextTokenizer } from './tokenizer';
import { fitted, labellingOf } from './truncate';
import type { Example, TokenizedExample } from './types';

/**
 * Pieces of at most `maxLength` tokens, every token a target: of the next token, or with `masked_lm` of hiding, between the
 * special tokens. Throws bad_data when the file holds no text.
 */
export function tokenizeText(
  name: string,
  bytes: Uint8Array,
  maxLength: number,
  type: ObjectiveType,
  options: RenderOptions,
  tokenizer: TextTokenizer,
): TokenizedExample[] {
  const objective: ObjectiveSection = type === 'masked_lm' ? { type, mlm_probability: 0.15 } : { type: 'pretraining' };
  const { examples } = parseDataset(name, bytes, { format: 'auto', columns: null });
  const labelling = labellingOf({ name, examples, labelColumn: '' }, objective);
  const piecesOf = (example: Example, i: number) => {
    const ending = example.kind === 'text' ? { ...options, eosToken: null } : options;
    const { encoded } = encodeExample(example, objective, ending, tokenizer);
    return fitted(encoded, i, labelling, objective.type, false, maxLength);
  };
  const pieces = examples.flatMap(piecesOf).filter((piece) => targetsOf(piece) > 0);
  if (pieces.length > 0) return pieces;
  throw new TabtuneError({
    code: 'bad_data',
    message: 'There is no text to learn from in this file.',
    where: name,
    action: 'Choose a file of plain text in whole sentences.',
  });
}
