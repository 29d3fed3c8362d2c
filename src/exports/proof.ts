/** What the comparison of an export with the model in memory found. */

/** The files, read back by our own reader, beside the model in memory. */
export interface Proof {
  /** Texts and tokens that were compared. */
  texts: number;
  tokens: number;
  /** Why nothing was compared, and so all figures below are null; null if it was. */
  unproven: 'no_room' | 'no_output' | null;
  maxLogitDifference: number | null;
  largestLogit: number | null;
  /** Tokens for which both choose the same next token; null for models that write no text. */
  sameChoices: number | null;
  /**
   * How much of what training changed in the logits is in the files: 1 if all, 0 for the base (the projection of file − base on
   * trained − base). Null without an adapter, if training changed nothing, or if rounding drowns it.
   */
  carried: number | null;
  /** How far rounding moved the logits, as a multiple of how far training did; if that is much, `carried` cannot be told. */
  rounding: number | null;
  /** Of the texts, before (the model in memory) and after (the files); null for models that write no text. */
  perplexity: { before: number; after: number } | null;
}

const UNPROVEN = {
  no_room: 'the GPU has no room for both at once',
  no_output: 'the model has no output to compare',
};

const drowned = (rounding: number) =>
  `Rounding to this format moves the logits ${few(rounding, 2)} times as far as training did, so how much of it is in the files cannot be told.`;

const few = (value: number, digits: number) => Number(value.toPrecision(digits)).toString();
/** As people write it; tiny ones with an exponent. */
const small = (value: number) => (value === 0 || value >= 1e-3 ? few(value, 2) : value.toExponential(1));

/** Sentences, the first of which says most. `other`: what the files were compared with, such as "the model with its adapter". */
export function proofSentences(proof: Proof, other: string): string[] {
  const { texts, tokens, maxLogitDifference, largestLogit, sameChoices, carried, rounding, perplexity } = proof;
  if (maxLogitDifference === null)
    return [`The files were not compared with ${other}: ${UNPROVEN[proof.unproven ?? 'no_room']}.`];
  const lines = [
    `Read back and compared with ${other} on ${tokens} tokens of ${texts} texts: the largest difference of a logit is ${small(maxLogitDifference)}, where the largest logit is ${few(largestLogit ?? 0, 3)}.`,
  ];
  if (sameChoices !== null) {
    lines.push(`The most likely next token is the same after ${sameChoices} of ${tokens} tokens.`);
  }
  if (carried !== null) {
    lines.push(`Of what training changed in the logits, ${few(100 * carried, 4)} % is in the files.`);
  } else if (rounding !== null) {
    lines.push(drowned(rounding));
  }
  if (perplexity) {
    const { before, after } = perplexity;
    lines.push(
      `The perplexity of these texts is ${few(before, 4)} before and ${few(after, 4)} after export (${change(after / before)}).`,
    );
  }
  return lines;
}

/** The same as a sentence and a table, in Markdown. */
export function proofTable(proof: Proof, other: string): string {
  const { texts, tokens, maxLogitDifference, largestLogit, sameChoices, carried, rounding, perplexity } = proof;
  if (maxLogitDifference === null) return proofSentences(proof, other)[0]!;
  const share = `${small(maxLogitDifference)}; the largest logit is ${few(largestLogit ?? 0, 3)}`;
  const rows = [['Largest difference of a logit', share]];
  if (sameChoices !== null) rows.push(['Same most likely next token', `after ${sameChoices} of ${tokens} tokens`]);
  if (carried !== null)
    rows.push(['Of what training changed in the logits', `${few(100 * carried, 4)} % is in the files`]);
  else if (rounding !== null) rows.push(['What training changed in the logits', drowned(rounding)]);
  if (perplexity) {
    const { before, after } = perplexity;
    rows.push(['Perplexity before and after', `${few(before, 4)} and ${few(after, 4)} (${change(after / before)})`]);
  }
  return [
    `The files were read back and compared with ${other}, on ${tokens} tokens of ${texts} texts:`,
    '',
    ...['| | |', '|---|---|'],
    ...rows.map(([label, value]) => `| ${label} | ${value} |`),
  ].join('\n');
}

function change(ratio: number): string {
  const percent = 100 * (ratio - 1);
  if (Math.abs(percent) < 0.005) return 'no change';
  return `${percent > 0 ? '+' : '−'}${Math.abs(percent).toFixed(2)} %`;
}
