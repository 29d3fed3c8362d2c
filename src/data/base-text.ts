/**
 * Text like the base model's training data, in pieces, for replay, EWC's Fisher information and measuring forgetting.
 * It does not affect the open dataset. No EOS is added to texts: an ending that the base model never saw would dominate
 * the loss.
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
 * Pieces of at most `maxLength` tokens, all of them targets: for next-token prediction, or with `masked_lm` for
 * masking, enclosed in special tokens. Throws bad_data if the file contains no text.
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
    message: 'This file has no text to learn from.',
    where: name,
    action: 'Choose a plain text file with whole sentences.',
  });
}
