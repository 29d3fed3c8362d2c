/** Compares written answers with expected ones. */

export interface Overlap {
  precision: number;
  recall: number;
  f1: number;
}

/** ASCII letters and digits only, as in rouge_score: nothing is left of other alphabets. */
function rougeWords(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/**
 * ROUGE-L (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004): the longest common subsequence of the words,
 * as a fraction of the written answer (precision) and of the expected one (recall). As in Google's rouge_score without
 * stemming.
 */
export function rougeL(written: string, expected: string): Overlap {
  const a = rougeWords(expected);
  const b = rougeWords(written);
  if (a.length === 0 || b.length === 0) return { precision: 0, recall: 0, f1: 0 };
  let above = new Int32Array(b.length + 1);
  let row = new Int32Array(b.length + 1);
  for (const word of a) {
    for (let j = 1; j <= b.length; j++) {
      row[j] = word === b[j - 1] ? above[j - 1]! + 1 : Math.max(above[j]!, row[j - 1]!);
    }
    [above, row] = [row, above];
  }
  const common = above[b.length]!;
  const precision = common / b.length;
  const recall = common / a.length;
  return { precision, recall, f1: common === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
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
