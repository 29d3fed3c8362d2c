/**
 * A rendered example -> ids, and which of them are learned. The whole text is tokenized once, so that the ids are the
 * ones that the model will see; the learned ranges are then found among the tokens by their offsets. Tokenizing
 * prompt and answer apart and gluing the ids gives other ids wherever a token spans the seam.
 */
import { TabtuneError } from '../base/errors';
import type { Span } from './chat-template';
import type { Rendered } from './render';
import { alignTokens, bytePositions } from './token-offsets';
import type { TextTokenizer } from './tokenizer';

export interface Encoded {
  row: number;
  /** Before any cutting. */
  ids: Int32Array;
  /** 1 where the token is learned. */
  trained: Uint8Array;
  /** Special tokens at the beginning and the end, which stay when a text is cut; none where left out. */
  before?: number;
  behind?: number;
  /** Words that are labelled one by one: for each token the word that it is of, -1 for special tokens. */
  words?: Int32Array;
}

const encoder = new TextEncoder();

/** Throws bad_model when the tokenizer cannot write the text, or gives ids that the model does not know. */
export function encodeRendered(row: number, rendered: Rendered, tokenizer: TextTokenizer): Encoded {
  const { ids, tokens } = tokenizer.encode(rendered.text, rendered.addSpecialTokens);
  checkIds(ids, tokenizer);
  const { text, spans } = rendered;
  if (spans === 'all') return { row, ids: Int32Array.from(ids), trained: new Uint8Array(ids.length).fill(1) };
  const trained =
    trainedByOffsets(text, tokens, spans, tokenizer) ?? trainedByPrefixes(rendered, spans, ids, tokenizer);
  return { row, ids: Int32Array.from(ids), trained };
}

/** Throws bad_model when the model has no row for an id; it would read another's. */
export function checkIds(ids: readonly number[], tokenizer: TextTokenizer): void {
  const beyond = ids.find((id) => !(id >= 0 && id < tokenizer.knownIds));
  if (beyond === undefined) return;
  throw new TabtuneError({
    code: 'bad_model',
    message: `The text has the token “${tokenizer.showToken(beyond)}”, which the model has no embedding for.`,
    where: 'tokenizer.json',
    action: 'Take it out of the text, or choose another model.',
    details: `id ${beyond}, the model knows ${tokenizer.knownIds}`,
  });
}

/**
 * A token is learned when it covers any byte of a range: the rule of transformers' assistant masks. A token that
 * covers the end of a prompt and the start of its answer is learned too, since the answer's first letters are in it.
 */
function trainedByOffsets(text: string, tokens: string[], spans: Span[], tokenizer: TextTokenizer): Uint8Array | null {
  const bytes = encoder.encode(text);
  const offsets = alignTokens(
    bytes,
    tokens,
    (t) => tokenizer.spellingsOf(t),
    (t) => tokenizer.isAdded(t),
  );
  if (offsets === null) return null;
  const { starts } = offsets;
  // A space that the tokenizer put before a word and that stands alone belongs to the word: the model has to write it.
  const ends = offsets.ends.map((end, k) => (end === starts[k] && !tokenizer.isAdded(tokens[k]!) ? end + 1 : end));
  const trained = new Uint8Array(tokens.length);
  const edges = bytes.length === text.length ? spans.flat() : bytePositions(text, spans.flat());
  let i = 0;
  for (let s = 0; s < edges.length; s += 2) {
    const start = edges[s]!;
    const end = edges[s + 1]!;
    while (i < tokens.length && ends[i]! <= start) i++;
    for (let k = i; k < tokens.length && starts[k]! < end; k++) {
      if (ends[k]! > starts[k]!) trained[k] = 1;
    }
    // EOS from a post-processor stands behind the last byte of what it ends.
    if (end === bytes.length) {
      for (let k = tokens.length - 1; k >= 0 && starts[k] === bytes.length; k--) trained[k] = 1;
    }
  }
  return trained;
}

/**
 * Without offsets (a normalizer folded letters, an unknown token stands for some): a range begins and ends after as
 * many tokens as the text up to there has in common with the whole.
 */
function trainedByPrefixes(
  { text, addSpecialTokens }: Rendered,
  spans: Span[],
  ids: number[],
  tokenizer: TextTokenizer,
): Uint8Array {
  const boundary = (position: number): number => {
    if (position >= text.length) return ids.length;
    const prefix = tokenizer.encode(text.slice(0, position), addSpecialTokens).ids;
    let n = 0;
    while (n < prefix.length && n < ids.length && prefix[n] === ids[n]) n++;
    return n;
  };
  const trained = new Uint8Array(ids.length);
  for (const [start, end] of spans) trained.fill(1, boundary(start), boundary(end));
  return trained;
}
