/** Rewards of words, patterns, shapes and lengths. */
import { expect, test } from 'vitest';
import { scoreOf } from './score';

test('regex', async () => {
  expect(await scoreOf({ type: 'regex', pattern: 'a.b' }, 'x a\nb x')).toBe(1);
  expect(await scoreOf({ type: 'regex', pattern: 'a.b', flags: '' }, 'x a\nb x')).toBe(0);
  expect(await scoreOf({ type: 'regex', pattern: 'a|b', match: 'whole' }, 'ab')).toBe(0);
  expect(await scoreOf({ type: 'regex', pattern: 'a|b', match: 'whole' }, 'b')).toBe(1);
});

test('json_valid', async () => {
  const any = { type: 'json_valid' } as const;
  expect(await scoreOf(any, '{"a": 1}')).toBe(1);
  expect(await scoreOf(any, ' [1] ')).toBe(1);
  expect(await scoreOf(any, '{a: 1}')).toBe(0);
  expect(await scoreOf(any, '{"a": 1} done')).toBe(0);
  expect(await scoreOf(any, '<think>{</think>{"a": 1}')).toBe(1);
  expect(await scoreOf(any, 'Here:\n```json\n{"a": 1}\n```\nDone.')).toBe(1);
  expect(await scoreOf({ ...any, fenced: false }, '```json\n{"a": 1}\n```')).toBe(0);
  // Deeper than any program that reads it could bear.
  expect(await scoreOf(any, '['.repeat(100_000) + ']'.repeat(100_000))).toBe(0);
});

test('json_valid with a schema', async () => {
  const schema = JSON.stringify({
    type: 'object',
    properties: { age: { type: 'integer', minimum: 0 } },
    required: ['age'],
    additionalProperties: false,
  });
  const reward = { type: 'json_valid', schema, partial: 0.25 } as const;
  expect(await scoreOf(reward, '{"age": 3}')).toBe(1);
  expect(await scoreOf(reward, '{"age": -3}')).toBe(0.25);
  expect(await scoreOf(reward, '{"age": 3, "name": "a"}')).toBe(0.25);
  expect(await scoreOf(reward, '{"age"')).toBe(0);
  await expect(scoreOf({ type: 'json_valid', schema: '{"$ref": "https://example.com/x"}' }, '1')).rejects.toMatchObject(
    {
      code: 'bad_recipe',
    },
  );
});

test('contains', async () => {
  const reward = { type: 'contains', words: ['sun', 'old moon'] } as const;
  const words = { ...reward, words: [...reward.words] };
  expect(await scoreOf(words, 'Sun, and the OLD\n moon!')).toBe(1);
  expect(await scoreOf(words, 'the sun')).toBe(0);
  expect(await scoreOf({ ...words, count: 'any' }, 'the sun')).toBe(1);
  expect(await scoreOf({ ...words, count: 'share' }, 'the sun')).toBe(0.5);
  expect(await scoreOf({ ...words, count: 'share' }, 'sunk old moons')).toBe(0);
  expect(await scoreOf({ ...words, count: 'share', whole_words: false }, 'sunk old moons')).toBe(1);
  expect(await scoreOf({ ...words, count: 'share', ignore_case: false }, 'Sun, old moon')).toBe(0.5);
  expect(await scoreOf({ type: 'contains', words: ['C++'] }, 'I like C++.')).toBe(1);
  expect(await scoreOf({ type: 'contains', words: ['日'] }, '日')).toBe(1);
});

test('contains what a column says', async () => {
  const reward = { type: 'contains', column: 'keys', count: 'share' } as const;
  expect(await scoreOf(reward, { completion: 'a b', columns: { keys: ['a', 'c'] } })).toBe(0.5);
  expect(await scoreOf(reward, { completion: 'a b', columns: { keys: 'b' } })).toBe(1);
  expect(await scoreOf(reward, { completion: 'a b', columns: {} })).toBe(null);
});

test('avoids', async () => {
  const reward = { type: 'avoids', words: ['sorry', 'as an AI'] };
  expect(await scoreOf({ ...reward, type: 'avoids' }, 'Of course.')).toBe(1);
  expect(await scoreOf({ ...reward, type: 'avoids' }, 'As an AI, no.')).toBe(0);
});

test('length', async () => {
  const words = (text: string, options = {}) =>
    scoreOf({ type: 'length', min: 2, max: 4, slope: 4, ...options }, { completion: text, tokens: [1, 2, 3, 4, 5, 6] });
  expect(await words('a b')).toBe(1);
  expect(await words(' a b  c d ')).toBe(1);
  expect(await words('a b c d e')).toBe(0.75);
  expect(await words('a')).toBe(0.75);
  expect(await words('')).toBe(0.5);
  expect(await words('a b c d e f g h i j')).toBe(0);
  expect(await words('a', { slope: 0 })).toBe(0);
  expect(await words('a', { unit: 'tokens' })).toBe(0.5);
  expect(await words('😀😀', { unit: 'characters' })).toBe(1);
});
