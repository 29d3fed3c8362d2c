/** What is wrong with answers to compare, row by row and as a whole. */
import { describe, expect, test } from 'vitest';
import { check, jsonLines, read, refuses, says, times } from './harness';

const ask = (i: number) => `What grows in garden ${i}?`;
const better = (i: number) => `Roses, ${i} of them.`;
const N = 10;
const rows = (make: (i: number) => unknown) => jsonLines(times(N, make));
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const odd = (i: number) => i % 2 === 1;

describe('rows that cannot be compared are left out, each for its reason', () => {
  const row = (more: object) => ({ prompt: 'Where?', chosen: 'Here, by the lake.', rejected: 'There.', ...more });
  const code = async (value: unknown, others: readonly unknown[] = [row({}), row({ prompt: 'When?' })]) => {
    const { dataset } = await read('a.jsonl', jsonLines([...others, value]));
    return dataset!.problems.filter(({ dropped }) => dropped).map(({ code: c, row: r }) => [c, r]);
  };
  const whole = (text: string) => [user('Where?'), ...(text === '' ? [] : [assistant(text)])];
  const pair = { chosen: whole('Here.'), rejected: whole('There.') };
  test.each<[string, unknown, unknown[] | undefined]>([
    ['equal_answers', row({ rejected: 'Here, by the lake. ' }), undefined],
    ['empty_answer', row({ rejected: ' ' }), undefined],
    ['empty_answer', row({ chosen: null, rejected: '' }), undefined],
    ['answer_is_prompt', row({ rejected: 'Where?' }), undefined],
    ['empty_prompt', row({ prompt: '' }), undefined],
    [
      'no_common_prompt',
      { chosen: [user('Where?'), assistant('Here.')], rejected: [user('When?'), assistant('Now.')] },
      [pair, pair],
    ],
    [
      'no_common_prompt',
      { chosen: 'Here.', rejected: 'There.' },
      [{ chosen: 'Where? Here.', rejected: 'Where? Now.' }],
    ],
  ])('%s', async (wanted, value, others) => {
    const found = await code(value, others);
    expect(found.map(([c]) => (c === 'not_text' || c === 'missing_field' ? 'empty_answer' : c))).toEqual([wanted]);
    expect(found[0]![1]).toBe((others ?? [0, 0]).length + 1);
  });

  check([
    {
      name: 'answers without any prompt',
      file: 'a.jsonl',
      content: rows((i) => ({ chosen: `${i}: roses`, rejected: `no ${i}` })),
      ends: refuses(/two answers that begin differently, and no prompt/),
    },
    {
      name: 'a mark that is neither',
      file: 'a.jsonl',
      content: rows((i) => ({
        prompt: ask(i),
        completion: better(i),
        label: i === 4 ? 'neutral' : odd(i) ? 'good' : 'bad',
      })),
      ends: says(/Row 5 has “neutral”, which is neither good nor bad/),
    },
  ]);
});

describe('what is wrong with the pairs of a file as a whole', () => {
  const words = (n: number) => times(n, (i) => `word${i}`).join(' ');
  const codes = async (content: string) =>
    (await read('a.jsonl', content)).dataset!.problems.map(({ code, message }) => [code, message]);
  test('better answers that can be told by their length', async () => {
    const long = await codes(rows((i) => ({ prompt: ask(i), chosen: words(30 + i), rejected: words(12 + (i % 2)) })));
    expect(long).toEqual([
      // Means of 30…39 and of 12, 13: 34.5 and 12.5.
      [
        'length_gap',
        'Better answers have 35 words on average, worse ones 13: in 100 % of the pairs the better one is longer.',
      ],
    ]);
    const alike = await codes(rows((i) => ({ prompt: ask(i), chosen: words(30 + i), rejected: words(39 - i) })));
    expect(alike).toEqual([]);
    const short = await codes(rows((i) => ({ prompt: ask(i), chosen: words(10 + i), rejected: words(40) })));
    expect(short.map(([code]) => code)).toEqual(['length_gap']);
    expect(short[0]![1]).toContain('in 100 % of the pairs the better one is shorter');
  });

  test('pairs that prefer opposite answers', async () => {
    const content = jsonLines([
      { prompt: 'Where?', chosen: 'Here.', rejected: 'There.' },
      { prompt: 'When?', chosen: 'Now.', rejected: 'Then.' },
      { prompt: 'Where?', chosen: 'There.', rejected: 'Here.' },
    ]);
    expect(await codes(content)).toEqual([
      ['contradicting_pair', 'Row 3 prefers the answer that row 1 calls the worse one.'],
    ]);
  });
});
