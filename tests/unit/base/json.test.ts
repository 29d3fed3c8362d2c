/** Bounds of what strangers' files can put into memory, and of what an error says of them. */
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { deeperThan, MOST_DEPTH, parseUntrusted } from '../../../src/base/json';
import { checkRecipe } from '../../../src/recipe/defaults';
import { parseRecipe } from '../../../src/recipe/schema';

const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

describe('nesting', () => {
  it('is counted outside strings alone', () => {
    expect(deeperThan(lists(100), 100)).toBe(false);
    expect(deeperThan(lists(101), 100)).toBe(true);
    expect(deeperThan(objects(101), 100)).toBe(true);
    expect(deeperThan(JSON.stringify(lists(5000)), 100)).toBe(false);
    expect(deeperThan(JSON.stringify([`\\"${'['.repeat(500)}`, '\\']), 100)).toBe(false);
    // Many, but side by side.
    expect(deeperThan(`[${'[],'.repeat(5000)}[]]`, 100)).toBe(false);
  });

  it.each([lists, objects])('is refused beyond a hundred levels, in time linear in the text', (nested) => {
    expect(parseUntrusted(nested(MOST_DEPTH))).toBeTruthy();
    for (const depth of [MOST_DEPTH + 1, 10_000, 3_000_000]) {
      expect(() => parseUntrusted(nested(depth))).toThrow('nested more than 100 levels deep');
    }
    expect(() => parseUntrusted('['.repeat(3_000_000))).toThrow(SyntaxError);
  });
});

describe('an error', () => {
  it('keeps so many letters of each text, and says how many it left out', () => {
    const text = 'x'.repeat(57_000_000);
    const error = new TabtuneError({ code: 'bad_data', message: text, where: text, action: text, details: text });
    for (const [field, most] of [
      ['message', 2000],
      ['where', 500],
      ['action', 2000],
      ['details', 20_000],
    ] as const) {
      expect(error[field]!.length).toBeLessThanOrEqual(most);
      expect(error[field]).toMatch(/… \(\d+ more letters\)$/);
    }
  });

  it.each([
    ['100,000 unknown fields', (n: number) => ({ version: 1, ...Object.fromEntries(numbers(n, 'field')) })],
    [
      '100,000 unknown fields of a section',
      (n: number) => ({ version: 1, training: Object.fromEntries(numbers(n, 'x')) }),
    ],
    [
      '100,000 patterns of a wrong kind',
      (n: number) => ({ version: 1, method: { type: 'lora', rank_pattern: Object.fromEntries(numbers(n, '(')) } }),
    ],
    [
      'one name of a megabyte',
      () => ({ version: 1, ['k'.repeat(1_000_000)]: 1, training: { ['l'.repeat(1_000_000)]: 1 } }),
    ],
    [
      'a list of a million modules',
      () => ({ version: 1, method: { type: 'lora', target_modules: new Array(1_000_000).fill(7) } }),
    ],
  ])('about a recipe with %s is short', (_name, make) => {
    const input = make(100_000);
    const { recipe, problems } = checkRecipe(input);
    const list = problems.map((problem) => JSON.stringify(problem).length);
    expect(list.reduce((sum, length) => sum + length, 0)).toBeLessThan(300_000);
    if (recipe) return;
    let error: unknown;
    try {
      parseRecipe(JSON.stringify(input));
    } catch (cause) {
      error = cause;
    }
    expect(error).toBeInstanceOf(TabtuneError);
    expect(JSON.stringify((error as TabtuneError).toData()).length).toBeLessThan(30_000);
  });
});

const numbers = (n: number, name: string) => Array.from({ length: n }, (_, i) => [`${name}${i}`, i] as const);
