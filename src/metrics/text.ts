/** Compares written answers with expected ones. */

export interface Overlap {
  precision: number;
  recall: number;
  f1: number;
}

/** ASCII letters and digits only, as in rouge_score: nothing is left of other alphabets. */
export function rougeWords(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** The length of the longest common subsequence of two lists. */
export function commonLength<T>(a: ArrayLike<T>, b: ArrayLike<T>): number {
  let above = new Int32Array(b.length + 1);
  let row = new Int32Array(b.length + 1);
  for (let i = 0; i < a.length; i++) {
    const word = a[i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = word === b[j - 1] ? above[j - 1]! + 1 : Math.max(above[j]!, row[j - 1]!);
    }
    [above, row] = [row, above];
  }
  return above[b.length]!;
}

/** What `common` words out of `written` and `expected` ones are as shares. */
export function overlapOf(common: number, written: number, expected: number): Overlap {
  if (common === 0) return { precision: 0, recall: 0, f1: 0 };
  const precision = common / written;
  const recall = common / expected;
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}

/**
 * ROUGE-L (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004): the longest common subsequence of the words,
 * as a fraction of the written answer (precision) and of the expected one (recall). As in Google's rouge_score without
 * stemming.
 */
export function rougeL(written: string, expected: string): Overlap {
  const a = rougeWords(expected);
  const b = rougeWords(written);
  return overlapOf(commonLength(a, b), b.length, a.length);
}

/** Python's string.punctuation. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;
/** An article as a whole word; JavaScript's \b knows only ASCII letters. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** SQuAD's normalisation (Rajpurkar et al., 2016): lower case, no punctuation, no articles, single spaces. */
export function normalizeAnswer(text: string): string {
  return text.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' ').replace(/\s+/g, ' ').trim();
}

/** 1 if the answer equals one of the expected ones after normalisation, otherwise 0. */
export function exactMatch(written: string, expected: string | readonly string[]): number {
  const answer = normalizeAnswer(written);
  return [expected].flat().some((one) => normalizeAnswer(one) === answer) ? 1 : 0;
}
