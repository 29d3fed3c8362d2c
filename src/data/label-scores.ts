/** What a classifier says of a text, in words. */

/** A label and its probability, or for regression the predicted number. */
export interface LabelScore {
  label: string;
  probability: number;
  /** Token classification only: the word that has this label; scores are in text order. */
  word?: string;
}

/** Of a whole text, the likeliest first. */
export const textLabels = (labels: readonly string[], probabilities: Float32Array): LabelScore[] =>
  labels.map((label, i) => ({ label, probability: probabilities[i]! })).sort((a, b) => b.probability - a.probability);

/**
 * The likeliest label of each word. `places` has the word's index at its first token, otherwise -1; `probabilities` are
 * [tokens · labels]. Words that were truncated have none.
 */
export function wordLabels(
  words: readonly string[],
  places: Int32Array,
  labels: readonly string[],
  probabilities: Float32Array,
): LabelScore[] {
  const scores: LabelScore[] = [];
  for (const [token, word] of places.entries()) {
    if (word < 0) continue;
    const row = probabilities.subarray(token * labels.length, (token + 1) * labels.length);
    const best = row.reduce((most, share, i) => (share > row[most]! ? i : most), 0);
    scores.push({ label: labels[best]!, probability: row[best]!, word: words[word]! });
  }
  return scores;
}

/** A text's words, as a classifier for words is asked for them. */
export const wordsOf = (text: string): string[] => text.trim().split(/\s+/);
