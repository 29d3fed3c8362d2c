/** Texts above the limit. The special tokens around a text stay around what is kept of it. */
import { IGNORE_INDEX } from '../base/ignore-index';
import type { Encoded } from './loss-mask';
import type { TokenSequence } from './types';

interface Text {
  ids: Int32Array;
  /** Number of special tokens at its beginning and end. */
  before?: number;
  behind?: number;
  words?: Int32Array;
}

/** How many tokens of a text fit between its special tokens; at least one. */
export const roomFor = ({ before = 0, behind = 0 }: Text, maxLength: number) =>
  Math.max(1, maxLength - before - behind);

export const lastOf = (values: Int32Array, count: number) => values.subarray(values.length - count);

/** Cuts the end off a text's values, one per token, but keeps those of the special tokens after it. */
function keeper(text: Text, maxLength: number): (values: Int32Array) => Int32Array {
  // slice, not subarray: the arrays are sent to another worker, and a view would take its whole buffer along.
  if (text.ids.length <= maxLength) return (values) => values.slice();
  const { before = 0, behind = 0 } = text;
  const end = before + roomFor(text, maxLength);
  return (values) => {
    const kept = new Int32Array(end + behind);
    kept.set(values.subarray(0, end));
    kept.set(lastOf(values, behind), end);
    return kept;
  };
}

/** A text to classify, truncated as the examples were. */
export function truncateText(text: Text, maxLength: number): { ids: Int32Array; words: Int32Array | null } {
  const keep = keeper(text, maxLength);
  return { ids: keep(text.ids), words: text.words ? keep(text.words) : null };
}

/** An example's tokens, truncated; `keep` does the same to its labels. */
export function truncate(
  encoded: Encoded,
  maxLength: number,
): { sequence: TokenSequence; keep(values: Int32Array): Int32Array } {
  const keep = keeper(encoded, maxLength);
  const ids = keep(encoded.ids);
  return { sequence: { row: encoded.row, ids, truncatedBy: encoded.ids.length - ids.length }, keep };
}

/** Labels of next-token prediction, before truncation: the ids that are trained on. */
export const nextTokenLabels = ({ ids, trained }: Encoded): Int32Array =>
  ids.map((id, i) => (trained[i] === 1 ? id : IGNORE_INDEX));
