/** The shapes of well-known datasets, with words of our own. */
import { describe } from 'vitest';
import { asks, check, compared, gives, jsonLines, lines, pairs, refuses, times } from './harness';

const odd = (i: number) => i % 2 === 1;
const ask = (i: number) => `Where is lake ${i}?`;
const tell = (i: number) => `North of hill ${i}.`;
const wrong = (i: number) => `No idea, ${i}.`;
const twelve = pairs(12, ask, tell);
const ranked = compared(12, ask, tell, wrong);
const judged = times(12, (i) => [
  ['u', ask(i)] as const,
  odd(i) ? (['a', tell(i)] as const) : (['!a', wrong(i)] as const),
]);
const rows = (make: (i: number) => unknown) => jsonLines(times(12, make));
const json = (value: unknown) => JSON.stringify(value);
const chat = (q: string, a: string) => [
  { role: 'user', content: q },
  { role: 'assistant', content: a },
];

describe('answers to compare', () => {
  check([
    {
      name: 'chosen and rejected messages',
      file: 'a.jsonl',
      content: rows((i) => ({
        prompt: ask(i),
        rejected: { role: 'assistant', content: wrong(i) },
        chosen: { role: 'assistant', content: tell(i) },
      })),
      ends: gives(ranked),
    },
    ...[
      ['model_a', 'model_b'],
      ['A', 'B'],
      ['conversation_a', 'conversation_b'],
    ].map(([first, second]) => ({
      name: `Chatbot Arena: two conversations and a winner, ${first} or ${second}`,
      file: 'a.jsonl',
      content: rows((i) => ({
        ...{ question_id: `q${i}`, model_a: 'x', model_b: 'y', winner: odd(i) ? second : first },
        conversation_a: chat(ask(i), odd(i) ? wrong(i) : tell(i)),
        conversation_b: chat(ask(i), odd(i) ? tell(i) : wrong(i)),
      })),
      ends: gives(ranked, /what both answers begin with/),
    })),
    {
      name: 'StackExchange: answers with scores',
      file: 'a.jsonl',
      content: rows((i) => ({
        question: ask(i),
        answers: [
          { text: wrong(i), score: 1, is_selected: false },
          { text: tell(i), score: 9, is_selected: true },
        ],
      })),
      ends: gives(ranked, /judged best is paired with the one judged worst/),
    },
    {
      name: 'the place of the chosen answer in a list',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), answers: [wrong(i), tell(i)], chosen: 1 })),
      ends: [gives(twelve), asks(/answers|chosen/), refuses(/answers|chosen/)],
    },
    {
      name: 'better_response_id',
      file: 'a.jsonl',
      content: rows((i) => ({
        prompt: ask(i),
        response_0: odd(i) ? wrong(i) : tell(i),
        response_1: odd(i) ? tell(i) : wrong(i),
        better_response_id: i % 2,
      })),
      ends: gives(ranked),
    },
    {
      name: 'rows that are chosen or rejected',
      file: 'a.jsonl',
      content: rows((i) => ({
        prompt: ask(i),
        response: odd(i) ? tell(i) : wrong(i),
        label: odd(i) ? 'chosen' : 'rejected',
      })),
      ends: gives(judged),
    },
    {
      name: 'rejected: true or false',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), completion: odd(i) ? tell(i) : wrong(i), rejected: !odd(i) })),
      ends: gives(judged),
    },
    {
      name: 'is_toxic: true or false',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), completion: odd(i) ? tell(i) : wrong(i), is_toxic: !odd(i) })),
      ends: gives(judged),
    },
    {
      name: 'HelpSteer: scores of many values are said not to be used',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), response: tell(i), helpfulness: i % 5, verbosity: i % 4 })),
      ends: gives(twelve, /helpfulness/),
    },
  ]);
});

describe('conversations', () => {
  check([
    {
      name: 'OpenAI’s batches',
      file: 'a.jsonl',
      content: rows((i) => ({ custom_id: `r${i}`, body: { model: 'x', messages: chat(ask(i), tell(i)) } })),
      ends: [gives(twelve), refuses(/body/)],
    },
    {
      name: 'Anthropic: Human and Assistant in the prompt',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: `\n\nHuman: ${ask(i)}\n\nAssistant:`, completion: ` ${tell(i)}` })),
      ends: [
        gives(twelve),
        gives(
          pairs(
            12,
            (i) => `\n\nHuman: ${ask(i)}\n\nAssistant:`,
            (i) => ` ${tell(i)}`,
          ),
        ),
        asks(/Human|Assistant/),
      ],
    },
    {
      name: 'Capybara: input and output in turns',
      file: 'a.jsonl',
      content: rows((i) => ({
        source: 'x',
        conversation: [
          { input: ask(i), output: tell(i) },
          { input: 'Really?', output: `Yes, ${i}.` },
        ],
      })),
      ends: [
        gives(
          times(
            12,
            (i) =>
              [
                ['u', ask(i)],
                ['a', tell(i)],
                ['u', 'Really?'],
                ['a', `Yes, ${i}.`],
              ] as const,
          ),
        ),
        refuses(/conversation/),
        asks(/conversation/),
      ],
    },
    {
      name: 'UltraChat: a list of texts by turns',
      file: 'a.jsonl',
      content: rows((i) => ({ id: `${i}`, data: [ask(i), tell(i), 'Really?', `Yes, ${i}.`] })),
      ends: [
        gives(
          times(
            12,
            (i) =>
              [
                ['u', ask(i)],
                ['a', tell(i)],
                ['u', 'Really?'],
                ['a', `Yes, ${i}.`],
              ] as const,
          ),
        ),
        refuses(/data/),
        asks(/data/),
      ],
    },
    {
      name: 'No Robots: prompt beside messages',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), prompt_id: `p${i}`, messages: chat(ask(i), tell(i)), category: 'Chat' })),
      ends: gives(twelve),
    },
    {
      name: 'OpenOrca',
      file: 'a.jsonl',
      content: rows((i) => ({ id: `t${i}`, system_prompt: 'Be exact.', question: ask(i), response: tell(i) })),
      ends: gives(
        times(
          12,
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
      name: 'Dolly',
      file: 'a.jsonl',
      content: rows((i) => ({
        instruction: ask(i),
        context: odd(i) ? `Lake ${i} is deep.` : '',
        response: tell(i),
        category: ['open', 'closed'][i % 2],
      })),
      ends: gives(
        times(
          12,
          (i) =>
            [
              ['u', odd(i) ? [ask(i), `Lake ${i} is deep.`] : ask(i)],
              ['a', tell(i)],
            ] as const,
        ),
        /category/,
      ),
    },
  ]);
});

describe('questions on a text, with choices', () => {
  const passage = (i: number) => `Lake ${i} lies north of hill ${i}.`;
  const informed = times(
    12,
    (i) =>
      [
        ['u', [ask(i), passage(i)]],
        ['a', tell(i)],
      ] as const,
  );
  check([
    {
      name: 'SQuAD, flat',
      file: 'a.jsonl',
      content: rows((i) => ({
        id: `x${i}`,
        title: 'Lakes',
        context: passage(i),
        question: ask(i),
        answers: { text: [tell(i)], answer_start: [5] },
      })),
      ends: [gives(informed), refuses(/answers/)],
    },
    {
      name: 'SQuAD, nested',
      file: 'a.json',
      content: json({
        version: '1.1',
        data: [
          {
            title: 'Lakes',
            paragraphs: times(12, (i) => ({
              context: passage(i),
              qas: [{ id: `${i}`, question: ask(i), answers: [{ text: tell(i), answer_start: 1 }] }],
            })),
          },
        ],
      }),
      ends: [gives(informed), refuses(/paragraphs|data/)],
    },
    {
      name: 'BoolQ',
      file: 'a.jsonl',
      content: rows((i) => ({ question: ask(i), passage: passage(i), answer: odd(i) })),
      ends: gives(
        times(
          12,
          (i) =>
            [
              ['u', [ask(i), passage(i)]],
              ['a', `${odd(i)}`],
            ] as const,
        ),
      ),
    },
    {
      name: 'PIQA: a goal and two solutions',
      file: 'a.jsonl',
      content: rows((i) => ({
        goal: `Dry boots ${i}.`,
        sol1: `Stand them by fire ${i}.`,
        sol2: `Stand them in lake ${i}.`,
        label: i % 2,
      })),
      ends: [
        gives(
          times(
            12,
            (i) =>
              [
                ['u', [`Dry boots ${i}.`, `by fire ${i}.`, `in lake ${i}.`]],
                ['a', ['']],
              ] as const,
          ),
        ),
        gives(
          times(
            12,
            (i) =>
              [
                ['c', [`Dry boots ${i}.`, `by fire ${i}.`, `in lake ${i}.`]],
                ['l', `${i % 2}`],
              ] as const,
          ),
        ),
        asks(/goal|sol1|sol2/),
        refuses(/goal|sol1|sol2/),
      ],
    },
    {
      name: 'HellaSwag: endings in a list',
      file: 'a.jsonl',
      content: rows((i) => ({
        ctx: `A man at lake ${i} sits`,
        endings: [`and eats ${i}`, 'and flies', 'and melts', 'no'],
        label: `${i % 4}`,
      })),
      ends: [
        gives(
          times(
            12,
            (i) =>
              [
                ['u', [`A man at lake ${i} sits`, `and eats ${i}`]],
                ['a', ['']],
              ] as const,
          ),
        ),
        asks(/endings/),
        refuses(/endings/),
      ],
    },
  ]);
});

describe('labels', () => {
  const table = (header: string, make: (i: number) => string) => lines(header, ...times(12, make));
  const found = (label: (i: number) => string) =>
    times(
      12,
      (i) =>
        [
          ['c', ask(i)],
          ['l', label(i)],
        ] as const,
    );
  check([
    {
      name: 'utterance and intent',
      file: 'a.csv',
      content: table('utterance,intent', (i) => `${ask(i)},${['find', 'go'][i % 2]}`),
      ends: gives(found((i) => ['find', 'go'][i % 2]!)),
    },
    {
      name: 'label beside its text',
      file: 'a.jsonl',
      content: rows((i) => ({ text: ask(i), label: i % 2, label_text: ['neg', 'pos'][i % 2] })),
      ends: [
        gives(
          found((i) => `${i % 2}`),
          /label_text/,
        ),
        gives(found((i) => ['neg', 'pos'][i % 2]!)),
      ],
    },
    {
      name: 'doccano: spans are not classes',
      file: 'a.jsonl',
      content: rows((i) => ({ text: `Ann ${i} in Rome`, label: [[0, 3, 'PER']] })),
      ends: refuses(/label/),
    },
    {
      name: 'spaCy: spans in an object',
      file: 'a.json',
      content: json(times(12, (i) => [`Ann ${i} in Rome`, { entities: [[0, 3, 'PER']] }])),
      ends: refuses(/./),
    },
    {
      name: 'STS-B: two sentences and a score',
      file: 'a.csv',
      content: table('sentence1,sentence2,score', (i) => `${ask(i)},${tell(i)},${(i % 5) + 0.4}`),
      ends: gives(
        times(
          12,
          (i) =>
            [
              ['c', [ask(i), tell(i)]],
              ['l', `${(i % 5) + 0.4}`],
            ] as const,
        ),
      ),
    },
  ]);
});
