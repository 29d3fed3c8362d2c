/** Texts inside objects are found or named, and numbers stay as they are written. */
import { describe } from 'vitest';
import { asks, check, gives, jsonLines, lines, pairs, refuses, says, times } from './harness';

const ask = (i: number) => `What does clock ${i} show?`;
const tell = (i: number) => `A quarter past ${i}.`;
const eight = pairs(8, ask, tell);
const rows = (make: (i: number) => unknown) => jsonLines(times(8, make));
const json = (value: unknown) => JSON.stringify(value);
const pair = (i: number) => ({ prompt: ask(i), completion: tell(i) });
describe('texts inside objects', () => {
  check([
    {
      name: 'a row in `data`',
      file: 'a.jsonl',
      content: rows((i) => ({ data: { question: ask(i), answer: tell(i) }, meta: { id: i } })),
      ends: [gives(eight), refuses(/data\.question|inside “data”|data/), asks(/data/, eight)],
    },
    {
      name: 'a path mapped by hand',
      file: 'a.jsonl',
      content: rows((i) => ({ data: { q: ask(i), a: { text: tell(i) } } })),
      given: { columns: 'prompt=data.q,completion=data.a.text' },
      ends: gives(eight),
    },
    {
      name: 'messages inside `input`',
      file: 'a.jsonl',
      content: rows((i) => ({
        input: {
          messages: [
            { role: 'system', content: 'Tell the time.' },
            { role: 'user', content: ask(i) },
          ],
        },
        output: tell(i),
      })),
      ends: [
        gives(
          times(
            8,
            (i) =>
              [
                ['s', 'Tell the time.'],
                ['u', ask(i)],
                ['a', tell(i)],
              ] as const,
          ),
        ),
        refuses(/input\.messages|input/),
        asks(/input/),
      ],
    },
    {
      name: 'a column name with a dot in it',
      file: 'a.csv',
      content: lines('qa.question,qa.answer', ...times(8, (i) => `${ask(i)},${tell(i)}`)),
      ends: gives(eight),
    },
    {
      name: 'translation',
      file: 'a.jsonl',
      content: rows((i) => ({ translation: { en: ask(i), sv: `Vad visar klocka ${i}?` } })),
      ends: [gives(pairs(8, ask, (i) => `Vad visar klocka ${i}?`)), refuses(/translation/), asks(/translation/)],
    },
    {
      name: 'intents with patterns and responses',
      file: 'intents.json',
      content: json({
        intents: times(3, (i) => ({ tag: `t${i}`, patterns: [ask(i), `Clock ${i}?`], responses: [tell(i)] })),
      }),
      ends: [
        gives(
          times(
            3,
            (i) =>
              [
                [
                  ['u', ask(i)],
                  ['a', tell(i)],
                ],
                [
                  ['u', `Clock ${i}?`],
                  ['a', tell(i)],
                ],
              ] as const,
          ).flat(),
        ),
        refuses(/patterns|responses/),
        asks(/patterns|responses/),
      ],
    },
    {
      name: 'Label Studio',
      file: 'labels.json',
      content: json(
        times(12, (i) => ({
          id: i,
          annotations: [
            { result: [{ value: { choices: [['Old', 'New'][i % 2]] }, from_name: 'age', type: 'choices' }] },
          ],
          data: { text: `Clock ${i} ticks` },
        })),
      ),
      ends: [
        gives(
          times(
            12,
            (i) =>
              [
                ['c', `Clock ${i} ticks`],
                ['l', ['Old', 'New'][i % 2]!],
              ] as const,
          ),
        ),
        refuses(/annotations|data\.text|data/),
        asks(/annotations|data/),
      ],
    },
    {
      name: 'an export of ChatGPT',
      file: 'conversations.json',
      content: json(
        times(4, (i) => ({
          title: `Chat ${i}`,
          mapping: {
            r: { id: 'r', message: null, parent: null, children: ['q'] },
            q: {
              id: 'q',
              parent: 'r',
              children: ['w'],
              message: { author: { role: 'user' }, content: { content_type: 'text', parts: [ask(i)] } },
            },
            w: {
              id: 'w',
              parent: 'q',
              children: [],
              message: { author: { role: 'assistant' }, content: { content_type: 'text', parts: [tell(i)] } },
            },
          },
        })),
      ),
      ends: [gives(pairs(4, ask, tell)), refuses(/mapping/)],
    },
    {
      name: 'an answer that is an object',
      file: 'a.jsonl',
      content: rows((i) => ({ input: ask(i), output: { hour: i, spoken: tell(i) } })),
      ends: [
        gives(pairs(8, ask, (i) => json({ hour: i, spoken: tell(i) }))),
        gives(
          times(
            8,
            (i) =>
              [
                ['u', ask(i)],
                ['a', ['hour', tell(i)]],
              ] as const,
          ),
        ),
        refuses(/output/),
      ],
    },
    {
      name: 'instances in a list (Self-Instruct)',
      file: 'a.jsonl',
      content: rows((i) => ({ id: `s${i}`, instruction: ask(i), instances: [{ input: '', output: tell(i) }] })),
      ends: [gives(eight), refuses(/instances/), asks(/instances/)],
    },
  ]);
});

describe('numbers and text as they are written', () => {
  const big = (i: number) => `${2n ** 60n + BigInt(i)}`;
  check([
    {
      name: 'integers above 2^53',
      file: 'a.jsonl',
      content: times(8, (i) => `{"prompt": "${ask(i)}", "completion": ${big(i)}}`).join('\n'),
      ends: gives(pairs(8, ask, big)),
    },
    {
      name: 'in an array',
      file: 'a.json',
      content: `[${times(8, (i) => `{"prompt": "${ask(i)}", "completion": ${big(i)}}`).join(',')}]`,
      ends: gives(pairs(8, ask, big)),
    },
    {
      name: 'a last zero',
      file: 'a.jsonl',
      content: times(8, (i) => `{"prompt": "${ask(i)}", "completion": ${i}.50}`).join('\n'),
      ends: gives(pairs(8, ask, (i) => `${i}.50`)),
    },
    {
      name: 'negative and with an exponent',
      file: 'a.jsonl',
      content: times(8, (i) => `{"prompt": "${ask(i)}", "completion": -${i + 1}.0e+20}`).join('\n'),
      ends: gives(pairs(8, ask, (i) => `-${i + 1}.0e+20`)),
    },
    {
      name: 'many digits behind the point',
      file: 'a.jsonl',
      content: times(8, (i) => `{"prompt": "${ask(i)}", "completion": 3.14159265358979323846${i}}`).join('\n'),
      ends: gives(pairs(8, ask, (i) => `3.14159265358979323846${i}`)),
    },
    {
      name: 'digits inside strings are left alone',
      file: 'a.jsonl',
      content: times(8, (i) => json({ prompt: `Is ${big(i)} even: 9007199254740993?`, completion: tell(i) })).join(
        '\n',
      ),
      ends: gives(pairs(8, (i) => `Is ${big(i)} even: 9007199254740993?`, tell)),
    },
    {
      name: 'a null answer',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), completion: i === 2 ? null : tell(i) })),
      ends: gives(
        eight.filter((_, i) => i !== 2),
        /[Rr]ow 3/,
      ),
    },
    {
      name: 'an empty object among the rows',
      file: 'a.jsonl',
      content: rows((i) => (i === 2 ? {} : pair(i))),
      ends: [
        gives(
          eight.filter((_, i) => i !== 2),
          /[Rr]ow 3/,
        ),
        says(/[Rr]ow 3/),
      ],
    },
  ]);
});
