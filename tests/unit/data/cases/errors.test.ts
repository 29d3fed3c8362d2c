/** A file that is refused: the sentence names the cause, in words that fit a whole file, and offers nothing that cannot work. */
import { describe, expect, test } from 'vitest';
import { asks, check, gives, jsonLines, lines, read, refuses, times } from './harness';

const ask = (i: number) => `How loud is bell ${i}?`;

describe('the cause comes first', () => {
  check([
    {
      name: 'every answer is empty',
      file: 'a.csv',
      content: lines('prompt,completion', ...times(6, (i) => `${ask(i)},`)),
      ends: refuses(/completion|answer/),
    },
    {
      name: 'every label is empty',
      file: 'a.jsonl',
      content: jsonLines(times(6, (i) => ({ text: ask(i), label: '' }))),
      ends: [
        refuses(/label/),
        gives(
          times(6, (i) => [['x', ask(i)]] as const),
          /label[^\n]*empty/,
        ),
      ],
    },
    {
      name: 'no line is JSON',
      file: 'a.jsonl',
      content: lines(...times(6, (i) => `prompt: ${ask(i)}`)),
      ends: refuses(/JSON/),
    },
    {
      name: 'conversations that nobody answers',
      file: 'a.jsonl',
      content: jsonLines(times(6, (i) => ({ messages: [{ role: 'user', content: ask(i) }] }))),
      ends: asks(/assistant|answer/),
    },
    {
      name: 'roles that nobody knows',
      file: 'a.jsonl',
      content: jsonLines(
        times(6, (i) => ({
          messages: [
            { role: 'alpha', content: ask(i) },
            { role: 'beta', content: 'Very.' },
          ],
        })),
      ),
      ends: refuses(/alpha/),
    },
    {
      name: 'turns without a role',
      file: 'a.jsonl',
      content: jsonLines(times(6, (i) => ({ messages: [{ content: ask(i) }, { content: 'Very.' }] }))),
      ends: refuses(/role/),
    },
    {
      name: 'a column that is not there',
      file: 'a.csv',
      content: lines('q,a', ...times(6, (i) => `${ask(i)},Very.`)),
      given: { columns: 'prompt=question,completion=a' },
      ends: refuses(/“question”.*“q”/s),
    },
    {
      name: 'numbers only',
      file: 'a.csv',
      content: lines('x,y', ...times(6, (i) => `${i},${i * 2}`)),
      ends: refuses(/text|number|“x”/),
    },
    {
      name: 'a list of names',
      file: 'a.json',
      content: JSON.stringify({ bells: times(6, (i) => i) }),
      ends: refuses(/bells|list|object/),
    },
    {
      name: 'a web page',
      file: 'a.csv',
      content: '<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><p>Sign in, please</p></body></html>\n',
      ends: asks(/HTML|web page/),
    },
    {
      name: 'a pointer of Git LFS',
      file: 'train.jsonl',
      content: lines('version https://git-lfs.github.com/spec/v1', `oid sha256:${'4d'.repeat(32)}`, 'size 12345'),
      ends: refuses(/LFS|JSON/),
    },
    {
      name: 'JSON that breaks off',
      file: 'a.json',
      content: JSON.stringify(times(6, (i) => ({ prompt: ask(i), completion: 'Very.' }))).slice(0, -20),
      ends: refuses(/end|cut|incomplete|breaks off|closed|line 1/i),
    },
  ]);
});

const refused: [string, string, string][] = [
  ['all rows ragged', 'a.csv', lines('question,answer', ...times(6, (i) => `${ask(i)},Very,${i},x`))],
  ['all answers empty', 'a.jsonl', jsonLines(times(6, (i) => ({ prompt: ask(i), completion: '' })))],
  ['all roles unknown', 'a.jsonl', jsonLines(times(6, () => ({ messages: [{ role: 'alpha', content: 'x' }] })))],
  [
    'all pictures',
    'a.jsonl',
    jsonLines(
      times(6, (i) => ({
        messages: [
          { role: 'user', content: ask(i) },
          { role: 'assistant', content: 'Very.' },
        ],
        images: ['a.png'],
      })),
    ),
  ],
  ['lists that break off', 'a.csv', lines('messages', ...times(6, () => `"[{'role': 'user', 'con"`))],
];
test.each(refused)('nothing is said of what was left out where all is refused: %s', async (_, file, content) => {
  const { error } = await read(file, content);
  expect(error).not.toBeNull();
  expect(error!.toLine()).not.toMatch(/left out/);
});

test('columns that hold objects are not offered for mapping', async () => {
  const rows = times(6, (i) => ({ meta: [[i, 2], [3]], boxes: [{ x: i, y: 2 }] }));
  const { error } = await read('a.jsonl', jsonLines(rows));
  expect(error).not.toBeNull();
  expect(error!.toLine()).not.toMatch(/Choose which column/);
});

test('every choice that is offered can be taken', async () => {
  const files: [string, string][] = [
    [
      'a.json',
      JSON.stringify({
        people: times(3, (i) => ({ name: `Ann ${i}` })),
        talks: times(6, (i) => ({ prompt: ask(i), completion: 'Very.' })),
      }),
    ],
    ['a.jsonl', jsonLines(times(6, (i) => ({ prompt: ask(i), response_1: `Loud ${i}`, response_2: `Very ${i}` })))],
    ['a.jsonl', jsonLines(times(6, (i) => ({ prompt: ask(i), completion: `Loud ${i}`, is_good: i % 2 })))],
  ];
  for (const [file, content] of files) {
    const { error } = await read(file, content);
    for (const { label, set } of error?.choices ?? []) {
      expect(label).not.toBe('');
      for (const path of Object.keys(set)) expect(path).toMatch(/^dataset\.[a-z_]+$/);
    }
  }
});
