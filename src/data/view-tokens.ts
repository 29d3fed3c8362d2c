/** One example for the screen: its text as the model reads it, and for every token whether it is trained on or cut off. */
import { encodeRow } from './encode-row';
import type { Encoded } from './loss-mask';
import type { ObjectiveData, TextOptions } from './objective-data';
import type { TextTokenizer } from './tokenizer';
import { roomFor } from './truncate';
import type { Example, SpanView, TextSpan, TokenView } from './types';

/** Throws bad_model or bad_data, as encoding does. */
function read(
  example: Example,
  objective: ObjectiveData,
  options: TextOptions,
  tokenizer: TextTokenizer,
  maxLength: number,
) {
  const { rendered, encoded } = encodeRow(example, objective, options, tokenizer);
  const { ids, trained, words } = encoded;
  const isCut = objective.longTexts === 'split' ? () => false : cutter(encoded, maxLength);
  // Nothing predicts the first token, so no loss is computed on it, whatever its label.
  const first = objective.counts === 'shifted' ? 1 : 0;
  const label = objective.shownLabel?.(example);
  return {
    ids,
    whole: { row: example.row, rendered, ...(label === undefined ? {} : { label }) },
    isTrained: (i: number) => i >= first && !isCut(i) && trained[i] === 1,
    isCut,
    tagOf: (i: number) =>
      example.kind === 'tagged' && words && trained[i] === 1 ? { tag: example.tags[words[i]!]! } : {},
  };
}

type Viewed = Parameters<typeof read>;

/** Throws bad_model or bad_data, as encoding does. */
export function viewExample(...of: Viewed): TokenView {
  const [, , , tokenizer] = of;
  const { ids, whole, isTrained, isCut, tagOf } = read(...of);
  const token = (id: number, i: number) => ({
    id,
    text: tokenizer.showToken(id),
    trained: isTrained(i),
    cut: isCut(i),
    ...tagOf(i),
  });
  return { ...whole, tokens: Array.from(ids, token) };
}

/** The same in runs of tokens that are alike; of each, the text of at most `most` tokens. */
export function viewSpans(most: number, ...of: Viewed): SpanView {
  const [, , , tokenizer] = of;
  const { ids, whole, isTrained, isCut, tagOf } = read(...of);
  const spans: TextSpan[] = [];
  for (let start = 0, end = 0; start < ids.length; start = end) {
    const tag = tagOf(start);
    const like = { trained: isTrained(start), cut: isCut(start), ...tag };
    end = start + 1;
    while (
      end < ids.length &&
      !tag.tag &&
      !tagOf(end).tag &&
      isTrained(end) === like.trained &&
      isCut(end) === like.cut
    )
      end++;
    const shown = ids.subarray(start, Math.min(end, start + most));
    spans.push({ text: tokenizer.showTokens(shown), tokens: end - start, ...like });
  }
  const { rendered: _, ...others } = whole;
  return { ...others, spans };
}

/** What is cut off comes before the special tokens at the end. */
function cutter(encoded: Encoded, maxLength: number): (i: number) => boolean {
  const { ids, before = 0, behind = 0 } = encoded;
  if (ids.length <= maxLength) return () => false;
  const end = before + roomFor(encoded, maxLength);
  return (i) => i >= end && i < ids.length - behind;
}
