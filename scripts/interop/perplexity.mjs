// Perplexities of a text, here and in llama.cpp.

/** Public domain: Lewis Carroll, Alice's Adventures in Wonderland (1865), chapter I. */
const alice = `Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: once or twice
she had peeped into the book her sister was reading, but it had no pictures or conversations in it, "and what is the use of a
book," thought Alice, "without pictures or conversations?" So she was considering in her own mind (as well as she could, for
the hot day made her feel very sleepy and stupid), whether the pleasure of making a daisy-chain would be worth the trouble of
getting up and picking the daisies, when suddenly a White Rabbit with pink eyes ran close by her. There was nothing so very
remarkable in that; nor did Alice think it so very much out of the way to hear the Rabbit say to itself, "Oh dear! Oh dear! I
shall be late!" (when she thought it over afterwards, it occurred to her that she ought to have wondered at this, but at the
time it all seemed quite natural); but when the Rabbit actually took a watch out of its waistcoat-pocket, and looked at it, and
then hurried on, Alice started to her feet, for it flashed across her mind that she had never before seen a rabbit with either
a waistcoat-pocket, or a watch to take out of it, and burning with curiosity, she ran across the field after it, and
fortunately was just in time to see it pop down a large rabbit-hole under the hedge. In another moment down went Alice after
it, never once considering how in the world she was to get out again. The rabbit-hole went straight on like a tunnel for some
way, and then dipped suddenly down, so suddenly that Alice had not a moment to think about stopping herself before she found
herself falling down a very deep well. Either the well was very deep, or she fell very slowly, for she had plenty of time as
she went down to look about her and to wonder what was going to happen next. First, she tried to look down and make out what
she was coming to, but it was too dark to see anything; then she looked at the sides of the well, and noticed that they were
filled with cupboards and book-shelves; here and there she saw maps and pictures hung upon pegs. She took down a jar from one of
the shelves as she passed; it was labelled "ORANGE MARMALADE", but to her great disappointment it was empty: she did not like to
drop the jar for fear of killing somebody underneath, so managed to put it into one of the cupboards as she fell past it.`;
const PERPLEXITY_TOKENS = 512;

/** The first tokens of the text. */
export function longTextIn(llama, count = PERPLEXITY_TOKENS) {
  const ids = llama.tokenize(alice).slice(0, count);
  if (ids.length < count) throw new Error(`the text has only ${ids.length} tokens`);
  return ids;
}

/**
 * With F32 weights nothing is rounded: 0.0001 % was measured. One matrix of 210 that is 1 % too large moves the perplexity of SmolLM2-135M by
 * 0.0057 %, and rotary frequencies that are 1 % off by 0.0114 %.
 */
export const PERPLEXITY_F32 = 1e-5;

export const percent = (share) => `${(100 * share).toFixed(4)} %`;

/** `loss`: of the same text in Tabtune, the mean per token. */
export async function comparePerplexity(llama, ids, loss) {
  const theirs = await llama.perplexity(ids);
  const mine = Math.exp(loss);
  const off = Math.abs(mine / theirs - 1);
  return { off, figures: `${mine.toFixed(4)} in Tabtune, ${theirs.toFixed(4)} in llama.cpp, ${percent(off)} apart` };
}

export async function samePerplexity(report, name, llama, ids, loss, limit) {
  const { off, figures } = await comparePerplexity(llama, ids, loss);
  report.check(`${name}: perplexity over ${ids.length} tokens within ${100 * limit} %`, off <= limit, figures);
}
