/** Finding words and phrases in an answer. */
import type { BoolField } from '../recipe/spec';

export const IGNORE_CASE: BoolField = {
  kind: 'bool',
  label: 'Ignore capitals',
  help: '“Sun” is found as “sun” too.',
  default: true,
  source: 'ours',
};

export const WHOLE_WORDS: BoolField = {
  kind: 'bool',
  label: 'Whole words',
  help: '“sun” is not found in “sunk”.',
  default: true,
  source: 'ours',
};

/** Says of an answer whether a word or phrase is in it. However its white space is written, a blank of a phrase matches it. */
export function finder({ ignore_case, whole_words }: { ignore_case: boolean; whole_words: boolean }) {
  const form = (text: string) => {
    const plain = text.normalize('NFKC').replace(/\s+/gu, ' ');
    return ignore_case ? plain.toLowerCase() : plain;
  };
  return (answer: string) => {
    const text = form(answer);
    return (word: string): boolean => {
      const wanted = form(word).trim();
      if (wanted === '') return false;
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
        if (!whole_words || (!joined(text, at) && !joined(text, at + wanted.length))) return true;
      }
      return false;
    };
  };
}

const LETTER_BEFORE = /[\p{L}\p{M}\p{N}_]$/u;
const LETTER_AFTER = /^[\p{L}\p{M}\p{N}_]/u;

/** Whether a word goes on across a place in the text. */
const joined = (text: string, at: number): boolean =>
  LETTER_BEFORE.test(text.slice(Math.max(0, at - 2), at)) && LETTER_AFTER.test(text.slice(at, at + 2));
