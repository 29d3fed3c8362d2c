/** Columns that carry meaning reach the examples, judged by all rows; what is not used is said. */
import { describe } from 'vitest';
import { asks, type Case, check, gives, jsonLines, lines, pairs, refuses, says, times } from './harness';

const ask = (i: number) => `How deep is well ${i}?`;
const note = (i: number) => `The rope of well ${i} has ${i + 4} knots.`;
const tell = (i: number) => `${i + 4} yards.`;
const eight = pairs(8, ask, tell);
const informed = times(
  8,
  (i) =>
    [
      ['u', [ask(i), note(i)]],
      ['a', tell(i)],
    ] as const,
);
const rows = (make: (i: number) => unknown) => jsonLines(times(8, make));

describe('context', () => {
  const prompts = ['query', 'question', 'instruction', 'prompt', 'user_query'];
  const contexts = ['context', 'passage', 'document', 'background', 'retrieved_context', 'contexts'];
  check([
    ...prompts.map((prompt, k) => ({
      name: `${prompt}, ${contexts[k]}, response`,
      file: 'a.jsonl',
      content: rows((i) => ({ [prompt]: ask(i), [contexts[k]!]: note(i), response: tell(i) })),
      ends: [gives(informed), asks(new RegExp(contexts[k]!), informed)],
    })),
    {
      name: 'passages in a list',
      file: 'a.jsonl',
      content: rows((i) => ({ question: ask(i), contexts: [note(i), 'Water is wet.'], answer: tell(i) })),
      ends: [
        gives(
          times(
            8,
            (i) =>
              [
                ['u', [ask(i), note(i), 'Water is wet.']],
                ['a', tell(i)],
              ] as const,
          ),
        ),
        gives(eight, /contexts/),
        asks(/contexts/),
      ],
    },
    {
      name: 'a system prompt in its own column',
      file: 'a.csv',
      content: lines('system_prompt,question,answer', ...times(8, (i) => `Be exact.,${ask(i)},${tell(i)}`)),
      ends: gives(
        times(
          8,
          (i) =>
            [
              ['s', 'Be exact.'],
              ['u', ask(i)],
              ['a', tell(i)],
            ] as const,
        ),
      ),
    },
    {
      name: 'columns that hold nothing of the example are said not to be used',
      file: 'a.jsonl',
      content: rows((i) => ({ id: i, prompt: ask(i), completion: tell(i), annotator: `Ann ${i}` })),
      ends: gives(eight, /annotator/),
    },
  ]);
});

describe('choices', () => {
  const numbers = (i: number) => [`${i + 4} yards`, `${i + 5} feet`, 'no water', 'dry'];
  const offered = (answer: string | string[]) =>
    times(
      8,
      (i) =>
        [
          ['u', [ask(i), ...numbers(i)]],
          ['a', typeof answer === 'string' ? answer : [numbers(i)[0]!]],
        ] as const,
    );
  check([
    {
      name: 'in columns A to D, the answer a letter',
      file: 'a.csv',
      content: lines('question,A,B,C,D,answer', ...times(8, (i) => `${ask(i)},${numbers(i).join(',')},A`)),
      ends: [gives(offered('A')), gives(offered([''])), refuses(/choices|A/), asks(/choices|\bA\b/)],
    },
    {
      name: 'in columns option_a to option_d',
      file: 'a.csv',
      content: lines(
        'question,option_a,option_b,option_c,option_d,correct',
        ...times(8, (i) => `${ask(i)},${numbers(i).join(',')},a`),
      ),
      ends: [gives(offered('a')), gives(offered([''])), refuses(/option/), asks(/option/)],
    },
    {
      name: 'in a list, the answer a place in it',
      file: 'a.jsonl',
      content: rows((i) => ({ question: ask(i), choices: numbers(i), answer: 0, subject: 'wells' })),
      ends: [gives(offered('0')), gives(offered('A')), gives(offered([''])), refuses(/choices/), asks(/choices/)],
    },
    {
      name: 'as ARC has them: texts and letters in an object',
      file: 'a.jsonl',
      content: rows((i) => ({
        question: ask(i),
        choices: { text: numbers(i), label: ['A', 'B', 'C', 'D'] },
        answerKey: 'A',
      })),
      ends: [gives(offered('A')), gives(offered([''])), refuses(/choices/), asks(/choices/)],
    },
  ]);
});

describe('an answer beside text', () => {
  const story = (i: number) => `Well ${i} was dug by hand, in a dry summer, by a man and his mule.`;
  const both = pairs(8, story, (i) => `A man dug well ${i}.`);
  check(
    ['summary', 'response', 'highlights', 'translation', 'sql', 'target', 'answer'].map((column) => ({
      name: `text and ${column}`,
      file: 'a.csv',
      content: lines(`text,${column}`, ...times(8, (i) => `"${story(i)}",A man dug well ${i}.`)),
      ends: [gives(both), asks(new RegExp(column), both)],
    })),
  );
  check(
    // A title may describe the text as well as be learned; a name that says nothing may be anything.
    ['title', 'corrected', 'v2'].map((column) => ({
      name: `text and ${column}: asked, or said not to be used`,
      file: 'a.csv',
      content: lines(`text,${column}`, ...times(8, (i) => `"${story(i)}",A man dug well ${i}.`)),
      ends: [
        gives(both),
        asks(new RegExp(column), both),
        says(new RegExp(`${column}[^\\n]*not used|not used[^\\n]*${column}`)),
      ],
    })),
  );
});

describe('two texts and a label', () => {
  const two: [string, string][] = [
    ['premise', 'hypothesis'],
    ['sentence1', 'sentence2'],
    ['question1', 'question2'],
    ['text_a', 'text_b'],
    ['sentence', 'question'],
    ['text1', 'text2'],
  ];
  const label = (i: number) => ['same', 'other'][i % 2]!;
  const other = (i: number) => `Well ${i} is measured with a rope.`;
  const pair = times(
    12,
    (i) =>
      [
        ['c', [note(i), other(i)]],
        ['l', label(i)],
      ] as const,
  );
  check(
    two.map(([first, second]) => ({
      name: `${first} and ${second}`,
      file: 'a.csv',
      content: lines(`${first},${second},label`, ...times(12, (i) => `${note(i)},${other(i)},${label(i)}`)),
      ends: [gives(pair), asks(new RegExp(second), pair)],
    })),
  );
});

describe('a column that names the split', () => {
  const table = (column: string, held: string) =>
    lines(`${column},prompt,completion`, ...times(10, (i) => `${i < 7 ? 'train' : held},${ask(i)},${tell(i)}`));
  check(
    [
      ['split', 'test'],
      ['split', 'validation'],
      ['subset', 'dev'],
      ['set', 'val'],
    ].map(([column, held]) => ({
      name: `${column}: train or ${held}`,
      file: 'a.csv',
      content: table(column!, held!),
      ends: [gives(pairs(10, ask, tell), new RegExp(column!)), asks(new RegExp(column!))],
    })),
  );
});

describe('all rows are looked at', () => {
  const many = 3000;
  const filled = (name: string, at: (i: number) => boolean, key = 'input'): Case => ({
    name,
    file: 'a.jsonl',
    content: jsonLines(
      times(many, (i) => ({
        instruction: `Fill bucket ${i}.`,
        ...(at(i) ? { [key]: `HURRY ${i}` } : {}),
        output: `Full, ${i}.`,
      })),
    ),
    ends: gives(
      times(many, (i) =>
        key === 'system' && at(i)
          ? ([
              ['s', `HURRY ${i}`],
              ['u', `Fill bucket ${i}.`],
              ['a', `Full, ${i}.`],
            ] as const)
          : ([
              ['u', at(i) ? [`Fill bucket ${i}.`, `HURRY ${i}`] : `Fill bucket ${i}.`],
              ['a', `Full, ${i}.`],
            ] as const),
      ),
    ),
  });
  check([
    filled('an input that starts after 1,500 rows', (i) => i >= 1500),
    filled('an input in one row of 3,000', (i) => i === 2717),
    filled('an input in every tenth row', (i) => i % 10 === 3),
    filled('a system prompt in every tenth row', (i) => i % 10 === 3, 'system'),
    {
      name: 'a system prompt in every tenth row of a CSV file',
      file: 'a.csv',
      content: lines(
        'prompt,completion,system',
        ...times(many, (i) => `Fill bucket ${i}.,Full ${i}.,${i % 10 === 3 ? 'You are a smith' : ''}`),
      ),
      ends: gives(
        times(many, (i) =>
          i % 10 === 3
            ? ([
                ['s', 'You are a smith'],
                ['u', `Fill bucket ${i}.`],
                ['a', `Full ${i}.`],
              ] as const)
            : ([
                ['u', `Fill bucket ${i}.`],
                ['a', `Full ${i}.`],
              ] as const),
        ),
      ),
    },
    {
      name: 'a label that comes after 1,200 rows',
      file: 'a.jsonl',
      content: jsonLines(
        times(1400, (i) => ({
          text: `Bucket ${i} leaks a little.`,
          ...(i >= 1200 ? { label: ['old', 'new'][i % 2] } : {}),
        })),
      ),
      ends: [
        gives(
          times(
            200,
            (i) =>
              [
                ['c', `Bucket ${i + 1200} leaks a little.`],
                ['l', ['old', 'new'][i % 2]!],
              ] as const,
          ),
          /1200/,
        ),
        asks(/label/),
        says(/label/),
        refuses(/label/),
      ],
    },
  ]);
});
