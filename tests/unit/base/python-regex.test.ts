/** Patterns of module names: as Python's re reads them, and in time that no pattern can run away with. */
import { describe, expect, test } from 'vitest';
import { patternValue, unmatchedKeys } from '../../../src/base/module-names';
import { compilePython } from '../../../src/base/python-regex';
import { PatternError } from '../../../src/base/python-regex-parser';
import { fixtureJson } from '../../fixture-files';

/** What linear matching cannot do, or what no pattern of module names needs. */
const OURS = /not supported|fixed width|too large|nested too deeply/;

const ask = (key: string, texts: string[]): string | { refused: string } => {
  try {
    const regex = compilePython(`(.*\\.)?(${key})$`);
    return texts.map((text) => (regex.matchesStart(text) ? '1' : '0')).join('');
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause;
    return { refused: cause.message };
  }
};

test('agrees with Python on generated patterns, and refuses what Python refuses', async () => {
  const { texts, rows } = await fixtureJson<{ texts: string[]; rows: [string, string | null][] }>(
    'patterns/python-re.json',
  );
  expect(rows.length).toBeGreaterThan(1400);
  let ours = 0;
  const wrong = rows.flatMap(([key, theirs]) => {
    const found = ask(key, texts);
    if (typeof found === 'string') return found === theirs ? [] : [`${key}: ${found}, Python ${theirs}`];
    if (theirs !== null && OURS.test(found.refused)) ours++;
    return theirs === null || OURS.test(found.refused) ? [] : [`${key}: ${found.refused}, Python ${theirs}`];
  });
  expect(wrong).toEqual([]);
  expect(ours).toBeLessThan(rows.length / 20);
});

describe('no pattern takes long', () => {
  const path = `model.layers.0.${'a'.repeat(80)}!`;
  const paths = Array.from({ length: 400 }, (_, i) => `model.layers.${i}.self_attn.${'a'.repeat(40)}_proj`);

  test.each([
    '(a+)+',
    '(a|a)*',
    '(a?){60}a{60}',
    '(a|aa|aaa)*b',
    '.*.*.*.*.*.*.*.*x',
    '(.?.?.?.?.?.?.?.?)*x',
    '(?:a?|b)?(?:a?|b)?(?:a|a?)?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?x',
    '((((((a?)?)?)?)?)?)*x',
    '(?=(a*)*b)(a*)*b',
    '(.*)*(.*)*(.*)*x',
  ])('%s', (key) => {
    const start = performance.now();
    expect(patternValue({ [key]: 5 }, path, 8)).toBe(8);
    expect(unmatchedKeys({ [key]: 5 }, paths)).toEqual([key]);
    // Some milliseconds; backtracking would take years.
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test.each([
    ['too many states', '((a{100}){100}){100}', /repetitions are too large/],
    [
      'looks ahead at each position of each position',
      `(?:(?=${'.?'.repeat(400)}.*x)a)*${'(?=.*y)?'.repeat(200)}x`,
      /./,
    ],
    ['nesting', `${'('.repeat(5000)}a`, /nested|characters/],
  ])('%s is refused, or quick', (_name, key, message) => {
    const start = performance.now();
    try {
      unmatchedKeys({ [key]: 1 }, paths);
    } catch (cause) {
      expect(cause).toMatchObject({ code: 'bad_recipe', message: expect.stringMatching(message) });
    }
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  test('a hundred thousand keys are refused, ten thousand names are matched', () => {
    const keys = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`layers.${i}.q_proj`, i + 1]));
    expect(() => unmatchedKeys(keys(100_000), ['x'])).toThrow('100000 patterns');
    expect(patternValue(keys(10_000), 'model.layers.9999.q_proj', 8)).toBe(10_000);
  });

  test('a long name is refused, not matched', () => {
    expect(() => patternValue({ 'a*': 1 }, 'a'.repeat(100_000), 8)).toThrow('a name of 100000 characters');
  });
});
