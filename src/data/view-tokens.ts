/** One example for the screen: its text as the model reads it, and for every token whether it is trained on or cut off. */
import { encodeRow } from './encode-row';
import type { Encoded } from './loss-mask';
import type { ObjectiveData, TextOptions } from './objective-data';
import type { TextTokenizer } from './tokenizer';
import { roomFor } from './truncate';
import type { Example, SpanView, TextSpan, TokenView } from './types';

/** A sequence of tokens, each with what becomes of it. */
interface Sequence {
  ids: Int32Array;
  isTrained(i: number): boolean;
  isCut(i: number): boolean;
  tagOf(i: number): { tag?: string };
}

/** Throws bad_model or bad_data, as encoding does. */
function read(
  example: Example,
  objective: ObjectiveData,
  options: TextOptions,
  tokenizer: TextTokenizer,
  maxLength: number,
) {
  const { rendered, rejected, encoded } = encodeRow(example, objective, options, tokenizer);
  // Nothing predicts the first token, so no loss is computed on it, whatever its label.
  const first = objective.counts === 'shifted' ? 1 : 0;
  const label = objective.shownLabel?.(example);
  const sequenceOf = (one: Encoded): Sequence => {
    const { ids, trained, words } = one;
    const isCut = objective.longTexts === 'truncated' ? cutter(one, maxLength) : () => false;
    return {
      ids,
      isTrained: (i) => i >= first && !isCut(i) && trained[i] === 1,
      isCut,
      tagOf: (i) => (example.kind === 'tagged' && words && trained[i] === 1 ? { tag: example.tags[words[i]!]! } : {}),
    };
  };
  const other = encoded.rejected && answerAlone(encoded.row, encoded.rejected, encoded.trained.includes(1));
  return {
    whole: { row: example.row, rendered, ...(label === undefined ? {} : { label }) },
    sequence: sequenceOf(encoded),
    rejected: other ? { rendered: rejected ?? '', sequence: sequenceOf(other) } : null,
  };
}

function answerAlone(row: number, { ids, promptLength }: NonNullable<Encoded['rejected']>, learned: boolean): Encoded {
  const trained = new Uint8Array(ids.length);
  if (learned) trained.fill(1, promptLength);
  return { row, ids, trained };
}

type Viewed = Parameters<typeof read>;

/** Throws bad_model or bad_data, as encoding does. */
export function viewExample(...of: Viewed): TokenView {
  const [, , , tokenizer] = of;
  const { whole, sequence, rejected } = read(...of);
  const tokensOf = ({ ids, isTrained, isCut, tagOf }: Sequence) =>
    Array.from(ids, (id, i) => ({
      id,
      text: tokenizer.showToken(id),
      trained: isTrained(i),
      cut: isCut(i),
      ...tagOf(i),
    }));
  return {
    ...whole,
    tokens: tokensOf(sequence),
    ...(rejected && { rejected: { rendered: rejected.rendered, tokens: tokensOf(rejected.sequence) } }),
  };
}

/** The same in runs of tokens that are alike; of each, the text of at most `most` tokens. */
export function viewSpans(most: number, ...of: Viewed): SpanView {
  const [, , , tokenizer] = of;
  const { whole, sequence, rejected } = read(...of);
  const { rendered: _, ...others } = whole;
  return {
    ...others,
    spans: spansOf(sequence, most, tokenizer),
    ...(rejected && { rejected: spansOf(rejected.sequence, most, tokenizer) }),
  };
}

function spansOf({ ids, isTrained, isCut, tagOf }: Sequence, most: number, tokenizer: TextTokenizer): TextSpan[] {
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
  return spans;
}

/** What is cut off comes before the special tokens at the end. */
function cutter(encoded: Encoded, maxLength: number): (i: number) => boolean {
  const { ids, before = 0, behind = 0 } = encoded;
  if (ids.length <= maxLength) return () => false;
  const end = before + roomFor(encoded, maxLength);
  return (i) => i >= end && i < ids.length - behind;
}
