/** What there is to learn in tokenised examples: a check before a run. */
import type { JudgedExample, PairExample, TokenizedExample } from './types';

export interface LearnedCounts {
  examples: number;
  /** Examples of which nothing is learned. */
  masked: number;
  /** Examples whose learned part has no token that ends an answer; null where answers are not what is learned. */
  endless: number | null;
}

/** `ends`: the tokens that end an answer; null where answers are not what is learned. */
export function learnedCounts(examples: readonly TokenizedExample[], ends: readonly number[] | null): LearnedCounts {
  const wanted = new Set(ends ?? []);
  let masked = 0;
  let endless = 0;
  const isEnded = (ids: Int32Array) => ids.some((id) => wanted.has(id));
  for (const example of examples) {
    if (example.kind === 'pair' || example.kind === 'judged') {
      if (!answersOf(example).every(isEnded)) endless++;
      continue;
    }
    if (example.kind !== 'next_token' && example.kind !== 'token_labels') continue;
    let learned = false;
    let ended = false;
    // Nothing predicts the first token of a text that is continued.
    for (let i = example.kind === 'next_token' ? 1 : 0; i < example.labels.length; i++) {
      if (example.labels[i]! < 0) continue;
      learned = true;
      ended ||= wanted.has(example.labels[i]!);
    }
    if (!learned) masked++;
    else if (!ended) endless++;
  }
  return { examples: examples.length, masked, endless: ends === null ? null : endless };
}

/** The tokens of an example's answers, of which a limit may have cut off the ends. */
function answersOf(example: PairExample | JudgedExample): Int32Array[] {
  const { ids, promptLength } = example;
  if (example.kind === 'judged') return [ids.subarray(promptLength)];
  return [ids.subarray(promptLength), example.rejected.subarray(example.rejectedPromptLength ?? promptLength)];
}
