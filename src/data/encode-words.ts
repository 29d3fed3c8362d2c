/**
 * Encodes a list of words, as transformers' fast tokenisers do with is_split_into_words: each word is encoded
 * separately, and special tokens enclose the whole. A word's label is assigned to its first token.
 */
import { checkIds } from './loss-mask';
import type { TextTokenizer } from './tokenizer';

export interface EncodedWords {
  /** Including special tokens, before truncation. */
  ids: Int32Array;
  /** The index of each token's word, as in Rust's word_ids(); -1 for special tokens. */
  words: Int32Array;
}

/** Throws bad_model if a word cannot be encoded. */
export function encodeWords(tokens: readonly string[], tokenizer: TextTokenizer): EncodedWords {
  const { before, behind } = tokenizer.around;
  const ids: number[] = [...before];
  const words: number[] = before.map(() => -1);
  tokens.forEach((token, word) => {
    // An added token ("<mask>") is recognised anywhere; a space before it would be a separate token.
    const prefix = /^\s/.test(token) || tokenizer.isAdded(token) ? '' : tokenizer.wordPrefix;
    for (const id of tokenizer.encode(prefix + token, false).ids) {
      ids.push(id);
      words.push(word);
    }
  });
  for (const id of behind) {
    ids.push(id);
    words.push(-1);
  }
  checkIds(ids, tokenizer);
  return { ids: Int32Array.from(ids), words: Int32Array.from(words) };
}

/** 1 on the first token of each word. */
export function firstOfWords(words: Int32Array): Uint8Array {
  return Uint8Array.from(words, (word, i) => (word >= 0 && words[i - 1] !== word ? 1 : 0));
}
