/** Conversations that stand twice, in rows, or in parts: each is learned once, whole. */
import { describe } from 'vitest';
import { asks, check, compared, gives, jsonLines, lines, pairs, refuses, says, times } from './harness';

const ask = (i: number) => `Where does river ${i} end?`;
const tell = (i: number) => `In lake ${i}.`;
const six = pairs(6, ask, tell);
const chat = (i: number) => [
  { role: 'user', content: ask(i) },
  { role: 'assistant', content: tell(i) },
];
const json = (value: unknown) => JSON.stringify(value);
/** As Python prints it. */
const python = (value: unknown): string =>
  json(value).replaceAll('"', "'").replaceAll('null', 'None').replaceAll('true', 'True').replaceAll('false', 'False');
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

describe('lists that Python printed', () => {
  const cells = (column: string, make: (i: number) => unknown) =>
    lines(column, ...times(6, (i) => quoted(python(make(i)))));
  check([
    { name: 'messages', file: 'a.csv', content: cells('messages', chat), ends: gives(six) },
    {
      name: 'a column called text',
      file: 'a.csv',
      content: cells('text', (i) => chat(i).map(({ role, content }) => ({ content, role }))),
      ends: [gives(six), refuses(/text/), asks(/text/)],
    },
    {
      name: 'with apostrophes, None and True inside',
      file: 'a.csv',
      content: lines(
        'messages',
        ...times(6, (i) =>
          quoted(
            `[{'role': 'user', 'content': "${ask(i)}", 'name': None}, {'role': 'assistant', 'content': '${tell(i)}', 'seen': True}]`,
          ),
        ),
      ),
      ends: gives(six),
    },
    {
      name: 'ShareGPT',
      file: 'a.csv',
      content: cells('conversations', (i) => [
        { from: 'human', value: ask(i) },
        { from: 'gpt', value: tell(i) },
      ]),
      ends: gives(six),
    },
    {
      name: 'that break off in the middle are refused, never learned as prose',
      file: 'a.csv',
      content: lines('messages', ...times(6, (i) => quoted(python(chat(i)).slice(0, 40)))),
      ends: refuses(/messages/),
    },
    {
      name: 'one of which breaks off loses its row, counted',
      file: 'a.csv',
      content: lines('messages', ...times(6, (i) => quoted(i === 3 ? python(chat(i)).slice(0, 40) : python(chat(i))))),
      ends: gives(
        six.filter((_, i) => i !== 3),
        /[Rr]ow 4/,
      ),
    },
  ]);
});

describe('the same conversation twice', () => {
  const good = (i: number) =>
    [
      ['u', ask(i)],
      ['a', tell(i)],
    ] as const;
  const bad = (i: number) => [chat(i)[0], { role: 'assistant', content: 'Dunno.' }];
  const rows = (make: (i: number) => unknown) => jsonLines(times(6, make));
  check([
    {
      name: 'prompt beside chosen and rejected that begin with it (UltraFeedback)',
      file: 'a.jsonl',
      content: rows((i) => ({
        ...{ prompt: ask(i), prompt_id: `p${i}`, chosen: chat(i), rejected: bad(i), messages: chat(i) },
        ...{ score_chosen: 8, score_rejected: 2 },
      })),
      ends: gives(compared(6, ask, tell, () => 'Dunno.')),
    },
    {
      name: 'chosen and rejected only, whole conversations',
      file: 'a.jsonl',
      content: rows((i) => ({ rejected: bad(i), chosen: chat(i) })),
      ends: gives(compared(6, ask, tell, () => 'Dunno.')),
    },
    {
      name: 'messages beside a completion that repeats them',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: [chat(i)[0]], completion: chat(i) })),
      ends: gives(times(6, good)),
    },
    {
      name: 'a prompt in text beside a conversation',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), messages: chat(i) })),
      ends: gives(times(6, good)),
    },
    {
      name: 'an answer that is two conversations, the better first',
      file: 'a.json',
      content: json(times(6, (i) => ({ question: ask(i), answer: [chat(i), bad(i)] }))),
      ends: [gives(times(6, good)), refuses(/answer/), asks(/answer/), says(/first/i, ['Dunno.'])],
    },
    {
      name: 'an output that is a list of two answers',
      file: 'a.json',
      content: json(times(6, (i) => ({ instruction: ask(i), input: '', output: [tell(i), 'Dunno.'] }))),
      ends: [gives(times(6, good)), refuses(/output/), asks(/output/), says(/output/, ['Dunno.'])],
    },
    {
      name: 'two languages side by side',
      file: 'a.jsonl',
      content: rows((i) => ({
        conversations_en: [
          { from: 'human', value: ask(i) },
          { from: 'gpt', value: tell(i) },
        ],
        conversations_sv: [
          { from: 'human', value: 'Hej' },
          { from: 'gpt', value: `Tack ${i}` },
        ],
      })),
      ends: [says(/conversations_sv/), asks(/conversations_(en|sv)/), refuses(/conversations_(en|sv)/)],
    },
  ]);
});

describe('one message a row', () => {
  const threads = gives(six);
  const table = (id: string, names: [string, string] = ['user', 'assistant']) =>
    lines(`${id},role,content`, ...times(6, (i) => `${i},${names[0]},${ask(i)}\n${i},${names[1]},${tell(i)}`));
  check([
    ...['conversation_id', 'chat_id', 'thread', 'session_id', 'dialogue_id'].map((id) => ({
      name: `with ${id}`,
      file: 'log.csv',
      content: table(id),
      ends: [threads, refuses(new RegExp(`${id}|one message`)), asks(new RegExp(id), six)],
    })),
    {
      name: 'a tree with parent_id (OASST)',
      file: 'tree.jsonl',
      content: jsonLines(
        times(6, (i) => [
          { message_id: `q${i}`, parent_id: null, text: ask(i), role: 'prompter', lang: 'en' },
          { message_id: `a${i}`, parent_id: `q${i}`, text: tell(i), role: 'assistant', lang: 'en' },
        ]).flat(),
      ),
      ends: [threads, refuses(/parent_id/), asks(/parent_id/)],
    },
    {
      name: 'rows of one conversation that are not beside each other',
      file: 'log.csv',
      content: lines(
        'conversation_id,role,content',
        ...times(6, (i) => `${i},user,${ask(i)}`),
        ...times(6, (i) => `${i},assistant,${tell(i)}`),
      ),
      ends: [threads, refuses(/conversation_id|one message/), asks(/conversation_id/)],
    },
  ]);
});

describe('earlier turns', () => {
  const earlier = (i: number) => [`And river ${i + 10}?`, `In lake ${i + 10}.`];
  const whole = (old: 'a' | '-a') =>
    times(
      6,
      (i) =>
        [
          ['u', earlier(i)[0]!],
          [old, earlier(i)[1]!],
          ['u', ask(i)],
          ['a', tell(i)],
        ] as const,
    );
  check(
    [
      ['pairs in a list (Alpaca’s history)', (i: number) => [earlier(i)]],
      [
        'messages',
        (i: number) => [
          { role: 'user', content: earlier(i)[0] },
          { role: 'assistant', content: earlier(i)[1] },
        ],
      ],
    ].map(([name, history]) => ({
      name: name as string,
      file: 'a.json',
      content: json(
        times(6, (i) => ({
          instruction: ask(i),
          input: '',
          output: tell(i),
          history: (history as (i: number) => unknown)(i),
        })),
      ),
      ends: [gives(whole('-a')), gives(whole('a')), refuses(/history/)],
    })),
  );
});
