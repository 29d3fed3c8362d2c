// Our greedy tokens beside llama.cpp's.

/**
 * llama.cpp rounds activations to 8 bits where weights are quantised, in another way on each kind of CPU, so that tokens of nearly the same
 * logit change places. With AVX512-VNNI, over 563 tokens of SmolLM2-135M in Q4_1, the logits of the likeliest two tokens came up to 0.50 closer
 * or further apart than with the same weights as F32 (root mean square 0.13), and the choice changed 15 times, at most by 0.24.
 */
const ROUNDING = 0.5;

/** Where F32 weights leave nothing to round: the same tokens. */
export async function sameGreedy({ report, label, llama, given, tokens }) {
  const theirs = await llama.greedy(given, tokens.length);
  const same = theirs.join() === tokens.join();
  const detail = same ? '' : `, ours ${tokens}, llama.cpp's ${theirs}`;
  report.check(label, same, `${llama.text(theirs)}${detail}`);
}

/** Our tokens, walked in llama.cpp: given those before it, none may be further below llama.cpp's choice than `allowance`. */
export async function nearGreedy({ report, label, llama, given, tokens, allowance = ROUNDING }) {
  const shortfalls = await llama.shortfalls(given, tokens);
  const below = Math.max(...shortfalls);
  const first = shortfalls.findIndex((by) => by > 0);
  const others = shortfalls.filter((by) => by > 0).length;
  const same = first < 0 ? `all ${tokens.length}` : `the first ${first} of ${tokens.length}`;
  const walked = first < 0 ? '' : `; given ours, ${others} of its choices are others, by ${below.toFixed(3)} at most`;
  const what = `${label} are llama.cpp's, or at most ${allowance} below its best logit`;
  report.check(what, below <= allowance, `${same} are the same outright${walked}`);
}
