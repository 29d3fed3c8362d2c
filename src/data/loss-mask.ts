/**
 * Encodes a rendered example and finds which ids are learned. The whole text is tokenised at once, so that the ids are
 * those the model will see, and the learned ranges are mapped to tokens by their offsets. Tokenising the prompt and the
 * answer separately would give different ids wherever a token spans the boundary.
 */
import { TabtuneError } from '../base/errors';
import type { Span } from './chat-template';
import type { Rendered } from './render';
import { alignTokens, bytePositions } from './token-offsets';
import type { TextTokenizer } from './tokenizer';

export interface Encoded {
  row: number;
  /** Before truncation. */
  ids: Int32Array;
  /** 1 for tokens that are learned. */
  trained: Uint8Array;
  /** The number of special tokens at the start and the end, which truncation keeps; 0 by default. */
  before?: number;
  behind?: number;
  /** For token classification: the index of each token's word, -1 for special tokens. */
  words?: Int32Array;
  /** Of an answer behind its prompt: how many tokens are the prompt's. */
  promptLength?: number;
  /** Of two answers to a prompt: the prompt with the other one. Its answer is learned as that of `ids` is. */
  rejected?: { ids: Int32Array; promptLength: number };
}

/** Tokens of the longest sequence. */
export const tokensIn = ({ ids, rejected }: Encoded): number => Math.max(ids.length, rejected?.ids.length ?? 0);

/** Tokens of all sequences. */
export const allTokensIn = ({ ids, rejected }: Encoded): number => ids.length + (rejected?.ids.length ?? 0);

const encoder = new TextEncoder();

/** Throws bad_model if the tokeniser cannot encode the text, or gives ids that the model does not have. */
export function encodeRendered(row: number, rendered: Omit<Rendered, 'notes'>, tokenizer: TextTokenizer): Encoded {
  const { ids, tokens } = tokenizer.encodeOnce(rendered.text, rendered.addSpecialTokens);
  checkIds(ids, tokenizer);
  const { text, spans } = rendered;
  if (spans === 'all') return { row, ids: Int32Array.from(ids), trained: new Uint8Array(ids.length).fill(1) };
  const trained =
    trainedByOffsets(text, tokens, spans, tokenizer) ?? trainedByPrefixes(rendered, spans, ids, tokenizer);
  return { row, ids: Int32Array.from(ids), trained };
}

/** Throws bad_model if the embedding has no row for an id, because the model would read another row. */
export function checkIds(ids: readonly number[], tokenizer: TextTokenizer): void {
  const beyond = ids.find((id) => !(id >= 0 && id < tokenizer.knownIds));
  if (beyond === undefined) return;
  throw new TabtuneError({
    code: 'bad_model',
    message: `The text contains the token “${tokenizer.showToken(beyond)}”, for which the model has no embedding.`,
    where: 'tokenizer.json',
    action: 'Remove it from the text, or choose another model.',
    details: `id ${beyond}, but the embedding has ${tokenizer.knownIds} rows`,
  });
}

/**
 * A token is learned if it covers any byte of a range, as in transformers' assistant masks. A token that covers the end
 * of a prompt and the start of its answer is also learned, because it contains the answer's first characters.
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
  // A separate space token added before a word belongs to the word: the model must write it.
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
    // EOS from a post-processor comes after the last byte of the text it ends.
    if (end === bytes.length) {
      for (let k = tokens.length - 1; k >= 0 && starts[k] === bytes.length; k--) trained[k] = 1;
    }
  }
  return trained;
}

/**
 * Without offsets (a normaliser changed letters, or there are unknown tokens), a range starts and ends after as many
 * tokens as the encoding of the text before it shares with the encoding of the whole text.
 */
function trainedByPrefixes(
  { text, addSpecialTokens }: Omit<Rendered, 'notes'>,
  spans: Span[],
  ids: number[],
  tokenizer: TextTokenizer,
): Uint8Array {
  const boundary = (position: number): number => {
    if (position >= text.length) return ids.length;
    const prefix = tokenizer.encodeOnce(text.slice(0, position), addSpecialTokens).ids;
    let n = 0;
    while (n < prefix.length && n < ids.length && prefix[n] === ids[n]) n++;
    return n;
  };
  const trained = new Uint8Array(ids.length);
  for (const [start, end] of spans) trained.fill(1, boundary(start), boundary(end));
  return trained;
}
