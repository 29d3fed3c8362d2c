/** Words that say of an answer whether it is good. */

export const list = (words: string) => new Set(words.trim().split(/\s+/));

export const WORSE =
  list(`bad worse worst negative neg down thumbsdown dislike disliked downvote downvoted rejected reject wrong incorrect
  fail failed undesirable undesired unacceptable unhelpful unsafe harmful poor loser lose lost notgood nothelpful notchosen nonpreferred
  dispreferred unpreferred terrible awful low 👎 ❌ schlecht falsch mauvais malo`);
export const BETTER =
  list(`good better best positive pos up thumbsup like liked upvote upvoted accepted accept right correct pass passed desirable
  desired acceptable helpful safe great excellent perfect high winner win won chosen preferred ok okay 👍 ✅ gut richtig bon bueno`);
export const NEUTRAL = list('neutral mixed unsure unknown tie average none na fair medium');
/** Says nothing by itself: true of what? */
export const WEAK_FALSE = list('false 0 00 no n f -1 nein non нет');
export const WEAK_TRUE = list('true 1 10 yes y t ja oui si да');

/** "0.0", "1.0", "TRUE " and "Thumbs up" as they are listed above. */
export const word = (value: string) =>
  value
    .trim()
    .toLowerCase()
    .replace(/^([01])\.0+$/, '$1')
    .replace(/[\s_-]+(?=\p{L})/gu, '');

export type Verdict = 'worse' | 'better' | 'neutral' | 'none';

/** What a value of a quality column says of its answer, if true means good. */
export function verdictOf(value: unknown): Verdict {
  if (value === null || value === undefined) return 'none';
  const text = word(String(value));
  if (text === '') return 'none';
  if (WORSE.has(text) || WEAK_FALSE.has(text)) return 'worse';
  if (BETTER.has(text) || WEAK_TRUE.has(text)) return 'better';
  return 'neutral';
}
