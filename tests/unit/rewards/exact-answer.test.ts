/** Answers to questions like GSM8K's, each marked by hand. */
import { expect, test } from 'vitest';
import { scoreOf } from './score';

const marked = (answer: unknown, completion: string, options = {}) =>
  scoreOf({ type: 'exact_answer', ...options }, { completion, columns: { answer } });

test.each([
  ['72', 'Natalia sold 48/2 = 24 clips in May. 48 + 24 = 72. #### 72', 1],
  ['Natalia sold 24 clips in May.\n#### 72', 'So it is 72.', 1],
  ['72', '#### 72 clips, which is 6 dozen', 1],
  ['72', '72, not 70', 0],
  ['72', 'The answer is 72', 1],
  ['72', 'It is 7 2', 0],
  ['72', 'It is 72.0', 1],
  ['72', 'It is 72.5', 0],
  ['1000', 'She earns $1,000.', 1],
  ['1,000', 'She earns 1000 dollars', 1],
  ['1234567.5', '1,234,567.50', 1],
  ['1000', '1 000', 0],
  ['1000', '1\u202f000', 1],
  ['3', 'The list is 1,2,3', 1],
  ['50', 'That is 50%', 1],
  ['0.5', 'That is 50%', 1],
  ['50%', 'That is 0.5', 1],
  ['50%', 'That is 50', 1],
  ['50%', 'That is 50 %', 1],
  ['50%', 'That is 5%', 0],
  ['0.5', 'He ate 1/2 of it', 1],
  ['1/2', 'He ate 0.5 of it', 1],
  ['1/3', 'He ate 0.33 of it', 0],
  ['1.5', 'She needs 1 1/2 cups', 1],
  ['3/4', '\\frac{3}{4}', 1],
  ['3/4', 'so \\boxed{\\dfrac{3}{4}} of 8', 1],
  ['6', '\\boxed{6} and 3 remain', 1],
  ['-3', 'It is -3 degrees', 1],
  ['-3', 'It is −3 degrees', 1],
  ['3', '10-3', 1],
  ['-3', '10-3', 0],
  ['-5', 'a loss of -$5', 1],
  ['-5', 'a loss of $-5', 1],
  ['5', '£5', 1],
  ['18', 'She makes 9 * 2 = $<<9*2=18>>18 every day.\n#### 18', 1],
  ['2', 'Using H2O we get nothing', 0],
  ['5', 'It is 5km away', 1],
  ['100000', 'about 1e5', 1],
  ['.25', '0.25', 1],
  ['9007199254740993', '9007199254740992', 0],
  ['9007199254740993', '9007199254740993', 1],
  ['1000001', '1000000', 0],
  ['7', 'no number here', 0],
  ['7', '', 0],
  ['7', '#### none, though 7 was near', 1],
  ['7', '#### ?', 0],
  ['7', '<think>8, no 9</think>7', 1],
  ['7', '<think>7</think>I give up', 0],
  ['4', '1/0', 0],
  [12, 'twelve is 12', 1],
] as const)('%j: %j is worth %d', async (expected, completion, worth) => {
  expect(await marked(expected, completion)).toBe(worth);
});

test('a difference that is allowed', async () => {
  expect(await marked('3.14159', 'about 3.14', { tolerance: 0.01 })).toBe(1);
  expect(await marked('3.14159', 'about 3.12', { tolerance: 0.01 })).toBe(0);
  expect(await marked('1/3', '0.333', { tolerance: 0.001 })).toBe(1);
});

test('a row that expects nothing says nothing', async () => {
  for (const nothing of [undefined, null, '', ' ']) expect(await marked(nothing, '7')).toBe(null);
  // As TRL does when the solution has no number in it.
  expect(await marked('none', '7')).toBe(null);
});

test('texts, with what may differ', async () => {
  const text = (options = {}) => ({ compare: 'text', ...options });
  expect(await marked('Paris', ' paris. ', text())).toBe(1);
  expect(await marked('Paris', 'It is Paris', text())).toBe(0);
  expect(await marked('Paris', 'paris', text({ ignore_case: false }))).toBe(0);
  expect(await marked('Paris', 'Paris.', text({ ignore_punctuation: false }))).toBe(0);
  expect(await marked('New  York', 'new\nyork', text())).toBe(1);
  expect(await marked('caf\u00e9', 'cafe\u0301', text())).toBe(1);
  expect(await marked('no', '<think>yes</think>no', text())).toBe(1);
});
