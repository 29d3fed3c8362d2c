/**
 * Words that are given one by one -> tokens, as transformers' fast tokenizers do with is_split_into_words: each word is
 * encoded by itself, and the special tokens stand around the whole. A word's label goes to its first token.
 */
import { checkIds } from './encode';
import type { TextTokenizer } from './tokenizer';

export interface EncodedWords {
  /** Special tokens included; before any cutting. */
  ids: Int32Array;
  /** For each token the word that it is of, as Rust's word_ids(); -1 for special tokens. */
  words: Int32Array;
}

/** Throws bad_model when a word cannot be written. */
export function encodeWords(tokens: readonly string[], tokenizer: TextTokenizer): EncodedWords {
  const { before, behind } = tokenizer.around;
  const ids: number[] = [...before];
  const words: number[] = before.map(() => -1);
  tokens.forEach((token, word) => {
    // An added token ("<mask>") is one wherever it stands; a space before it would be a token of its own.
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
