/**
 * Text like the base model's training data, in pieces, for replay, EWC's Fisher information and measuring forgetting.
 * It does not affect the open dataset. No EOS is added to texts: an ending that the base model never saw would dominate
 * the loss.
 */
import { TabtuneError } from '../base/errors';
import { targetsOf } from './batches';
import { encodeRow } from './encode-row';
import type { ObjectiveData, TextOptions } from './objective-data';
import { parseDataset } from './parse';
import type { TextTokenizer } from './tokenizer';
import type { Example, TokenizedExample } from './types';

/**
 * Pieces of at most `maxLength` tokens, all of them targets but for special tokens around them. Throws bad_data if the file
 * contains no text.
 */
export function tokenizeText(
  name: string,
  bytes: Uint8Array,
  maxLength: number,
  objective: ObjectiveData,
  options: TextOptions,
  tokenizer: TextTokenizer,
): TokenizedExample[] {
  const { examples } = parseDataset(name, bytes, { format: 'auto', columns: null });
  const labelled = objective.label({ name, examples, labelColumn: '' });
  const piecesOf = (example: Example, i: number) => {
    const ending = example.kind === 'text' ? { ...options, eosToken: null } : options;
    const { encoded } = encodeRow(example, objective, ending, tokenizer);
    const pieces = labelled.tokenize(encoded, i, { maxLength, packing: false, contextLength: maxLength });
    return Array.isArray(pieces) ? pieces : [];
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
