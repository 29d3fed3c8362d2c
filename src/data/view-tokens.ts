/** One example for the screen: its text as the model reads it, and for every token whether it is trained on or cut off. */
import { encodeRow } from './encode-row';
import type { Encoded } from './loss-mask';
import type { ObjectiveData, TextOptions } from './objective-data';
import type { TextTokenizer } from './tokenizer';
import { roomFor } from './truncate';
import type { Example, TokenView } from './types';

/** Throws bad_model or bad_data, as encoding does. */
export function viewExample(
  example: Example,
  objective: ObjectiveData,
  options: TextOptions,
  tokenizer: TextTokenizer,
  maxLength: number,
): TokenView {
  const { rendered, encoded } = encodeRow(example, objective, options, tokenizer);
  const { ids, trained, words } = encoded;
  const isCut = objective.longTexts === 'split' ? () => false : cutter(encoded, maxLength);
  // Nothing predicts the first token, so no loss is computed on it, whatever its label.
  const first = objective.counts === 'shifted' ? 1 : 0;
  const tagOf = (i: number) =>
    example.kind === 'tagged' && words && trained[i] === 1 ? { tag: example.tags[words[i]!]! } : {};
  const tokens = Array.from(ids, (id, i) => ({
    id,
    text: tokenizer.showToken(id),
    trained: i >= first && !isCut(i) && trained[i] === 1,
    cut: isCut(i),
    ...tagOf(i),
  }));
  const label = objective.shownLabel?.(example);
  return { row: example.row, rendered, ...(label === undefined ? {} : { label }), tokens };
}

/** What is cut off comes before the special tokens at the end. */
function cutter(encoded: Encoded, maxLength: number): (i: number) => boolean {
  const { ids, before = 0, behind = 0 } = encoded;
  if (ids.length <= maxLength) return () => false;
  const end = before + roomFor(encoded, maxLength);
  return (i) => i >= end && i < ids.length - behind;
}
