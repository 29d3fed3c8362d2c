/** One example for the screen: its text as the model reads it, and every token with whether it is learned or cut. */

import type { ObjectiveType } from '../recipe/types';
import type { Encoded } from './encode';
import type { EncodedExample } from './encode-objective';
import { writtenLabel } from './labelled';
import type { TextTokenizer } from './tokenizer';
import type { Example, TokenView } from './types';

/** Objectives that learn a text in further pieces where it is longer than a row. */
const WHOLE: readonly ObjectiveType[] = ['pretraining', 'masked_lm'];

export function viewExample(
  example: Example,
  { rendered, encoded }: EncodedExample,
  objective: ObjectiveType,
  tokenizer: TextTokenizer,
  maxLength: number,
): TokenView {
  const { ids, trained, words } = encoded;
  const isCut = WHOLE.includes(objective) ? () => false : cutter(encoded, maxLength);
  // The first token is predicted by nothing, so that no loss is taken of it whatever its label; a label of its own is none
  // of the next token.
  const first = objective === 'sft' || objective === 'pretraining' ? 1 : 0;
  const tagOf = (i: number) =>
    example.kind === 'tagged' && words && trained[i] === 1 ? { tag: example.tags[words[i]!]! } : {};
  const tokens = Array.from(ids, (id, i) => ({
    id,
    text: tokenizer.showToken(id),
    trained: i >= first && !isCut(i) && trained[i] === 1,
    cut: isCut(i),
    ...tagOf(i),
  }));
  const label = objective === 'sequence_classification' && example.kind === 'labelled' ? writtenLabel(example) : null;
  return { row: example.row, rendered, ...(label === null ? {} : { label }), tokens };
}

/** What is cut stands before the special tokens at the end. */
function cutter({ ids, before = 0, behind = 0 }: Encoded, maxLength: number): (i: number) => boolean {
  if (ids.length <= maxLength) return () => false;
  const end = before + Math.max(1, maxLength - before - behind);
  return (i) => i >= end && i < ids.length - behind;
}
