/** Conversations in the shapes that exports, trainers and APIs write: each turn once, learned or not as its file says. */
import { describe } from 'vitest';
import { asks, check, compared, gives, jsonLines, pairs, refuses, says, times } from './harness';

const ask = (i: number) => `Where does river ${i} end?`;
const tell = (i: number) => `In lake ${i}.`;
const six = pairs(6, ask, tell);
const chat = (i: number) => [
  { role: 'user', content: ask(i) },
  { role: 'assistant', content: tell(i) },
];
const json = (value: unknown) => JSON.stringify(value);
describe('which turns are learned', () => {
  const flagged = (flag: object) => [
    { role: 'user', content: 'These are the rules of the kitchen.' },
    { role: 'assistant', content: 'Understood.', ...flag },
    { role: 'user', content: 'Boil an egg.' },
    { role: 'assistant', content: 'Water first.' },
  ];
  const kept = times(
    4,
    () =>
      [
        ['u', 'These are the rules of the kitchen.'],
        ['-a', 'Understood.'],
        ['u', 'Boil an egg.'],
        ['a', 'Water first.'],
      ] as const,
  );
  check([
    ...[{ loss: false }, { train: false }, { weight: 0 }, { weight: 0.0 }, { loss: 0 }].map((flag) => ({
      name: `a turn with ${json(flag)}`,
      file: 'a.jsonl',
      content: jsonLines(times(4, () => ({ messages: flagged(flag) }))),
      ends: [gives(kept), says(/training|loss|weight/i, ['Understood.']), refuses(/loss|weight|train/)],
    })),
    {
      name: 'ShareGPT turns with loss: false in a list of ids, as AgentInstruct has them',
      file: 'agent.json',
      content: json({
        conversations: Object.fromEntries(
          times(4, (i) => [
            `${i}`,
            [
              { from: 'human', loss: null, value: 'These are the rules of the kitchen.' },
              { from: 'gpt', loss: false, value: 'Understood.' },
              { from: 'human', loss: null, value: 'Boil an egg.' },
              { from: 'gpt', loss: true, value: 'Water first.' },
            ],
          ]),
        ),
      }),
      ends: [gives(kept), refuses(/conversations/), asks(/conversations/, kept)],
    },
    {
      name: 'a field of a turn that nobody knows is told',
      file: 'a.jsonl',
      content: jsonLines(times(4, () => ({ messages: flagged({ mood: 'cross' }) }))),
      ends: says(/mood/),
    },
    {
      name: 'a turn that has a weight between 0 and 1',
      file: 'a.jsonl',
      content: jsonLines(times(4, () => ({ messages: flagged({ weight: 0.5 }) }))),
      ends: [says(/weight/), refuses(/weight/)],
    },
  ]);
});

describe('thoughts', () => {
  const thinking = (field: string) =>
    jsonLines(
      times(6, (i) => ({
        messages: [
          { role: 'user', content: ask(i) },
          { role: 'assistant', [field]: `Follow river ${i} down.`, content: tell(i) },
        ],
      })),
    );
  const withThoughts = times(
    6,
    (i) =>
      [
        ['u', ask(i)],
        ['th', `Follow river ${i} down.`],
        ['a', tell(i)],
      ] as const,
  );
  check(
    ['reasoning_content', 'thinking', 'reasoning', 'thoughts', 'thought'].map((field) => ({
      name: field,
      file: 'a.jsonl',
      content: thinking(field),
      ends: [gives(withThoughts), says(new RegExp(field))],
    })),
  );
});

describe('calls of functions and tools', () => {
  const call = { name: 'tide', arguments: '{"port": "Brest"}' };
  const talk = (turn: object, answer: object) => [
    { role: 'user', content: 'When is high tide in Brest?' },
    { role: 'assistant', ...turn },
    { content: 'At noon', ...answer },
    { role: 'assistant', content: 'High tide is at noon.' },
  ];
  const called = times(
    3,
    () =>
      [
        ['u', 'When is high tide in Brest?'],
        ['a', ['tide', 'Brest']],
        ['t', 'At noon'],
        ['a', 'High tide is at noon.'],
      ] as const,
  );
  check([
    {
      name: 'function_call beside content: null, with functions in a column',
      file: 'a.jsonl',
      content: jsonLines(
        times(3, () => ({
          messages: talk({ content: null, function_call: call }, { role: 'function', name: 'tide' }),
          functions: [{ name: 'tide', parameters: {} }],
        })),
      ),
      ends: [gives(called, /functions/), refuses(/function_call/)],
    },
    {
      name: 'tool_calls without content, with tools in a column',
      file: 'a.jsonl',
      content: jsonLines(
        times(3, () => ({
          messages: talk(
            { tool_calls: [{ id: 'x', type: 'function', function: call }] },
            { role: 'tool', tool_call_id: 'x' },
          ),
          tools: [{ type: 'function', function: { name: 'tide', parameters: {} } }],
        })),
      ),
      ends: gives(called, /tools/),
    },
    {
      name: 'tool calls whose arguments are objects',
      file: 'a.jsonl',
      content: jsonLines(
        times(3, () => ({
          messages: talk(
            { content: '', tool_calls: [{ function: { name: 'tide', arguments: { port: 'Brest' } } }] },
            { role: 'tool' },
          ),
        })),
      ),
      ends: gives(called),
    },
    {
      name: 'a column of pictures',
      file: 'a.json',
      content: json(times(4, (i) => ({ messages: chat(i), images: [`harbour/${i}.png`] }))),
      ends: [refuses(/image|picture/i), says(/images/)],
    },
    {
      name: 'a part of the content that is a picture',
      file: 'a.jsonl',
      content: jsonLines(
        times(4, (i) => ({
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: ask(i) },
                { type: 'image_url', image_url: { url: 'x' } },
              ],
            },
            { role: 'assistant', content: tell(i) },
          ],
        })),
      ),
      ends: [refuses(/image|picture/i), says(/image|picture/i)],
    },
    {
      name: 'content in parts of text',
      file: 'a.jsonl',
      content: jsonLines(
        times(6, (i) => ({
          messages: [
            { role: 'user', content: [{ type: 'text', text: ask(i) }] },
            { role: 'assistant', content: [{ type: 'text', text: tell(i) }] },
          ],
        })),
      ),
      ends: gives(six),
    },
  ]);
});

describe('other spellings of turns', () => {
  const rows = (make: (i: number) => unknown) => jsonLines(times(6, make));
  const withSystem = times(
    6,
    (i) =>
      [
        ['s', 'Be exact.'],
        ['u', ask(i)],
        ['a', tell(i)],
      ] as const,
  );
  check([
    {
      name: 'Gemini: contents with parts, and a system instruction',
      file: 'a.jsonl',
      content: rows((i) => ({
        systemInstruction: { parts: [{ text: 'Be exact.' }] },
        contents: [
          { role: 'user', parts: [{ text: ask(i) }] },
          { role: 'model', parts: [{ text: tell(i) }] },
        ],
      })),
      ends: [gives(withSystem), gives(six, /systemInstruction/), refuses(/contents|parts/)],
    },
    {
      name: 'Cohere: System, User, Chatbot',
      file: 'a.jsonl',
      content: rows((i) => ({
        messages: [
          { role: 'System', content: 'Be exact.' },
          { role: 'User', content: ask(i) },
          { role: 'Chatbot', content: tell(i) },
        ],
      })),
      ends: [gives(withSystem), refuses(/Chatbot/)],
    },
    {
      name: 'Cohere: role and message',
      file: 'a.jsonl',
      content: rows((i) => ({
        chat_history: [
          { role: 'USER', message: ask(i) },
          { role: 'CHATBOT', message: tell(i) },
        ],
      })),
      ends: [gives(six), refuses(/chat_history|message/)],
    },
    {
      name: 'speaker and text',
      file: 'a.jsonl',
      content: rows((i) => ({
        dialog: [
          { speaker: 'user', text: ask(i) },
          { speaker: 'assistant', text: tell(i) },
        ],
      })),
      ends: [gives(six), refuses(/dialog|speaker/)],
    },
    {
      name: 'a turn holds both sides',
      file: 'a.json',
      content: json(times(6, (i) => ({ conversation: [{ human: ask(i), assistant: tell(i) }] }))),
      ends: [gives(six), refuses(/conversation/)],
    },
    {
      name: 'a struct of lists, as Parquet gives it',
      file: 'a.jsonl',
      content: rows((i) => ({ conversations: { from: ['human', 'gpt'], value: [ask(i), tell(i)] } })),
      ends: [gives(six), refuses(/conversations/)],
    },
    {
      name: 'a struct of lists under role and content',
      file: 'a.jsonl',
      content: rows((i) => ({ messages: { role: ['user', 'assistant'], content: [ask(i), tell(i)] } })),
      ends: [gives(six), refuses(/messages/)],
    },
    {
      name: 'HH-RLHF: both sides in one string',
      file: 'a.jsonl',
      content: rows((i) => ({
        chosen: `\n\nHuman: ${ask(i)}\n\nAssistant: ${tell(i)}`,
        rejected: `\n\nHuman: ${ask(i)}\n\nAssistant: Leave me alone.`,
      })),
      ends: gives(compared(6, ask, tell, () => 'Leave me alone.')),
    },
    {
      name: 'a conversation per line, without an object around it',
      file: 'a.jsonl',
      content: rows((i) => chat(i)),
      ends: [gives(six), refuses(/list|object/)],
    },
    {
      name: 'an odd role',
      file: 'a.jsonl',
      content: rows((i) => ({ messages: [...chat(i), { role: 'narrator', content: 'Night fell.' }] })),
      ends: [refuses(/narrator/), says(/narrator/)],
    },
    {
      name: 'null and words among the turns',
      file: 'a.jsonl',
      content: rows((i) => ({ messages: [chat(i)[0], null, 'by the way', chat(i)[1]] })),
      ends: [gives(six, /null|no messages?|not a message/i), refuses(/null|no messages?|not a message/i)],
    },
    {
      name: 'the content of an answer is an object',
      file: 'a.jsonl',
      content: rows((i) => ({
        messages: [
          { role: 'user', content: ask(i) },
          { role: 'assistant', content: { lake: `${i}`, deep: true } },
        ],
      })),
      ends: [
        gives(
          times(
            6,
            (i) =>
              [
                ['u', ask(i)],
                ['a', json({ lake: `${i}`, deep: true })],
              ] as const,
          ),
        ),
        gives(
          times(
            6,
            (i) =>
              [
                ['u', ask(i)],
                ['a', ['"lake"', `"${i}"`, 'true']],
              ] as const,
          ),
        ),
        refuses(/object/),
      ],
    },
  ]);
});
