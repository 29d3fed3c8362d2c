/**
 * SentencePiece's scores. llama.cpp joins neighbours into the token with the best score; tokenizer.json has the same as a list of
 * merges, best first, which names every way to build each token.
 */
import { mergesFromScores } from '../../../formats/gguf-tokenizer';
import type { Piece } from '../../../formats/sentencepiece';
import { list } from './json';
import { CONTROL, NORMAL, UNUSED, USER_DEFINED, type Vocabulary } from './vocabulary';

/** What llama.cpp's converter gives tokens that are searched for in the text, and rows without a token. */
const ADDED_SCORE = -1000;
const UNUSED_SCORE = -10_000;

/**
 * Those of a tokenizer.model (`pieces`) if they say what the merges say, else some that do. Null where scores cannot: llama.cpp would
 * tokenise otherwise than the model was trained with.
 */
export function scoresOf(
  vocabulary: Vocabulary,
  merges: unknown,
  pieces: readonly Piece[] | null,
): Float32Array | null {
  const pairs = list(merges).map(pairOf);
  if (pairs.includes(null)) return null;
  const known = spelled(vocabulary, pairs as Pair[]);
  const scores = [() => pieces && stored(vocabulary, pieces), () => ranked(known, true), () => ranked(known, false)];
  for (const candidate of scores) {
    const found = candidate();
    if (!found || !tells(known, found)) continue;
    return found.map((score, id) => {
      const type = vocabulary.types[id];
      return type === UNUSED ? UNUSED_SCORE : type === CONTROL || type === USER_DEFINED ? ADDED_SCORE : score;
    });
  }
  return null;
}

type Pair = [left: string, right: string];

function pairOf(merge: unknown): Pair | null {
  const pair: unknown[] = typeof merge === 'string' ? merge.split(' ') : list(merge);
  return pair.length === 2 && pair.every((part) => typeof part === 'string') ? (pair as Pair) : null;
}

interface Spelled {
  /** As tokenizer.json has them; empty for rows without a token. */
  tokens: string[];
  types: Int32Array;
  pairs: readonly Pair[];
}

function spelled({ tokens, types, added }: Vocabulary, pairs: readonly Pair[]): Spelled {
  const own = tokens.map((token, id) => (types[id] === UNUSED ? '' : token));
  for (const { id, content } of added) own[id] = content;
  return { tokens: own, types, pairs };
}

/** Null if the model's pieces are other tokens. */
function stored({ tokens, types }: Vocabulary, pieces: readonly Piece[]): Float32Array | null {
  const same =
    pieces.length <= tokens.length && pieces.every(({ text }, id) => types[id] !== NORMAL || tokens[id] === text);
  if (!same || types.subarray(pieces.length).includes(NORMAL)) return null;
  return Float32Array.from(tokens, (_, id) => pieces[id]?.score ?? UNUSED_SCORE);
}

/** From 0 down, in the order in which merges make the tokens, then those that none makes. `alike`: added tokens all have 0. */
function ranked({ tokens, types, pairs }: Spelled, alike: boolean): Float32Array {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const scores = new Float32Array(tokens.length).fill(Number.NaN);
  let made = 0;
  const isAdded = (id: number) => types[id] === CONTROL || types[id] === USER_DEFINED;
  for (const pair of pairs) {
    const id = ids.get(pair.join(''));
    if (id !== undefined && Number.isNaN(scores[id])) scores[id] = alike && isAdded(id) ? 0 : -made++;
  }
  return scores.map((score, id) => (!Number.isNaN(score) ? score : isAdded(id) && alike ? 0 : -made++));
}

/** Whether the scores give the same merges again, token after token. The ways to make one token have no order. */
function tells({ tokens, pairs }: Spelled, scores: Float32Array): boolean {
  const again = mergesFromScores(tokens, scores);
  if (again.length !== pairs.length) return false;
  const ours = (i: number): Pair => [tokens[again[i]![0]]!, tokens[again[i]![1]]!];
  for (let from = 0, to = 0; from < pairs.length; from = to) {
    const whole = pairs[from]!.join('');
    while (to < pairs.length && pairs[to]!.join('') === whole) to++;
    const given = new Set(pairs.slice(from, to).map(([left]) => left));
    for (let i = from; i < to; i++) {
      const pair = ours(i);
      if (pair.join('') !== whole || !given.has(pair[0])) return false;
    }
  }
  return true;
}
