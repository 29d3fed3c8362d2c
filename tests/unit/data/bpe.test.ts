/** Our byte-pair encoding against the definition, and its speed on scripts whose sentences are single words. */
import { describe, expect, test } from 'vitest';
import { Merges } from '../../../src/data/bpe';
import { TextTokenizer } from '../../../src/data/tokenizer';
import { cpuSeconds } from '../../support/time';
import { tokenizerFiles } from './helpers';

/** Numbers between 0 and 1 that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** As Sennrich et al. define it: join the neighbours of the lowest rank, the leftmost first, until none can be joined. */
function byDefinition(merges: readonly (readonly string[])[], word: string): string[] {
  const ranks = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
  const tokens = Array.from(word);
  for (;;) {
    let best = -1;
    let lowest = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < tokens.length; i++) {
      const rank = ranks.get(`${tokens[i]} ${tokens[i + 1]}`);
      if (rank !== undefined && rank < lowest) [best, lowest] = [i, rank];
    }
    if (best === -1) return tokens;
    tokens.splice(best, 2, tokens[best]! + tokens[best + 1]!);
  }
}

/** Merges as training gives them: of tokens that there are already. */
function someMerges(letters: readonly string[], count: number, random: () => number): string[][] {
  const tokens = [...letters];
  const merges = new Map<string, string[]>();
  while (merges.size < count) {
    const pick = () => tokens[Math.floor(random() * tokens.length)]!;
    const [left, right] = [pick(), pick()];
    if (left.length + right.length > 12) continue;
    merges.set(`${left} ${right}`, [left, right]);
    tokens.push(left + right);
  }
  return [...merges.values()];
}

describe('merges', () => {
  test.each([
    ['two letters', ['a', 'b'], 12],
    ['letters', ['a', 'b', 'c', 'd', '▁'], 40],
    ['characters of two units', ['😀', '😁', '中', 'a'], 30],
  ])('give the tokens of the definition: %s', (_name, letters, count) => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed);
      const pairs = someMerges(letters, count, random);
      const merges = new Merges(pairs);
      for (let n = 0; n < 20; n++) {
        // Up to three times as long as what is searched without a heap; "é" is in no merge.
        const word = Array.from({ length: 1 + Math.floor(random() * 150) }, () =>
          random() < 0.02 ? 'é' : letters[Math.floor(random() * letters.length)]!,
        ).join('');
        const expected = byDefinition(pairs, word);
        expect(merges.join(Array.from(word)), word).toEqual(expected);
        // Parts are encoded one by one.
        expect(
          merges.partsOf(word).flatMap((part) => merges.join(Array.from(part))),
          word,
        ).toEqual(expected);
      }
    }
  });

  test('the parts of a word are the word, and no character is torn apart', () => {
    const merges = new Merges([
      ['a', '▁'],
      ['▁', 'b'],
    ]);
    expect(merges.partsOf('a▁b😀c')).toEqual(['a▁b', '😀', 'c']);
    expect(merges.partsOf('')).toEqual(['']);
  });
});

describe('speed', () => {
  const LETTERS = 200_000;
  /** Such letters have three bytes: a file of 100 MB in ten minutes. */
  const LETTERS_PER_SECOND = 60_000;
  const written = (from: number, to: number, seed: number, space: string) => {
    const random = seeded(seed);
    let text = '';
    while (text.length < LETTERS) {
      text += random() < 0.001 ? space : String.fromCharCode(from + Math.floor(random() * (to - from)));
    }
    return text;
  };
  // Seconds of this process's work, and the best of a few tries: neighbours slow down even those.
  test.each(['qwen3', 'mistral-tekken', 'smollm2', 'gpt2', 'gemma3', 'llama2'])(
    '%s reads Chinese and Thai in time',
    (name) => {
      const tokenizer = new TextTokenizer(tokenizerFiles(`tests/fixtures/tokenizers/${name}`));
      tokenizer.encode('Warm up. 你好。 สวัสดี'.repeat(100), false);
      for (const text of [written(0x4e00, 0x5200, 1, '，'), written(0x0e01, 0x0e3a, 2, ' ')]) {
        let best = 0;
        for (let attempt = 0; attempt < 5 && best <= LETTERS_PER_SECOND; attempt++) {
          const before = cpuSeconds();
          const { ids } = tokenizer.encode(text, false);
          best = Math.max(best, LETTERS / (cpuSeconds() - before));
          expect(ids.length).toBeGreaterThan(LETTERS / 4);
        }
        expect(best).toBeGreaterThan(LETTERS_PER_SECOND);
      }
    },
  );
});
