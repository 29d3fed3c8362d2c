/** Rows that belong together, and conversations in the spellings that files have. */
import { describe, expect, test } from 'vitest';
import { codes, errorOf, jsonl, parse, section } from './helpers';
import { apiOf } from './parts-helpers';

const say = (role: string, content: string) => ({ role, content });
const many = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const first = (rows: unknown[], more = {}) => parse('a.jsonl', jsonl(rows), more).examples[0];

describe('rows that belong together', () => {
  test('one message per row, out of order', () => {
    const csv =
      'ticket,turn,speaker,text\n7,2,agent,Hi Ann\n8,1,customer,Help me\n7,1,customer,Hello\n8,2,agent,Sure\n';
    expect(parse('a.csv', csv).examples).toEqual([
      { kind: 'messages', row: 1, messages: [say('user', 'Hello'), say('assistant', 'Hi Ann')] },
      { kind: 'messages', row: 2, messages: [say('user', 'Help me'), say('assistant', 'Sure')] },
    ]);
  });

  test('without a number of the conversation they are refused', () => {
    const error = errorOf(() => parse('a.csv', 'role,content\nuser,Hello there\nassistant,Hi Ann\n'));
    expect(error.message).toContain('which conversation');
  });

  test('a tree: every thread, what is shared is learned once, and only the best-ranked answers', () => {
    const node = (message_id: string, parent_id: string | null, role: string, text: string, rank?: number) => ({
      message_id,
      parent_id,
      role,
      text,
      rank,
    });
    const dataset = parse(
      'a.jsonl',
      jsonl([
        node('1', null, 'prompter', 'Q'),
        node('2', '1', 'assistant', 'worse', 1),
        node('3', '1', 'assistant', 'better', 0),
        node('4', '3', 'prompter', 'And?'),
        node('5', '3', 'prompter', 'Or?'),
        node('6', '4', 'assistant', 'Yes', 0),
        node('7', '5', 'assistant', 'No', 0),
      ]),
    );
    const messages = dataset.examples.map((e) => (e as { messages?: unknown[] }).messages);
    expect(messages[0]).toEqual([
      say('user', 'Q'),
      say('assistant', 'better'),
      say('user', 'And?'),
      say('assistant', 'Yes'),
    ]);
    expect(messages[1]).toEqual([
      say('user', 'Q'),
      { ...say('assistant', 'better'), train: false },
      say('user', 'Or?'),
      say('assistant', 'No'),
    ]);
    expect(codes(dataset)).toContain('unwanted_answer@2');
  });

  test('a split column is honoured, and a test set is left out beside a validation set', () => {
    const rows = ['train', 'dev', 'train', 'test', 'train'].map((split, i) => ({
      split,
      text: `Text number ${i} of five.`,
      label: String(i % 2),
    }));
    const dataset = parse('a.jsonl', jsonl(rows));
    expect(dataset.examples.map(({ row, split }) => [row, split])).toEqual([
      [1, 'train'],
      [2, 'validation'],
      [3, 'train'],
      [5, 'train'],
    ]);
    const texts = apiOf('a.jsonl', jsonl(rows.map(({ split, text }) => ({ split, text })))).tokenize;
    expect(texts({ validation_split: 0.5 }).stats).toMatchObject({ trainExamples: 3, validationExamples: 1 });
    const off = texts({ validation_split: 0 });
    expect(off.stats).toMatchObject({ trainExamples: 3, validationExamples: 0 });
    expect(off.problems.map(({ code }) => code)).toContain('split_unused');
    expect(section().merge_labels).toBe(false);
  });
});

describe('conversations in other spellings', () => {
  const expected = [say('user', 'Hi'), say('assistant', 'Hello')];
  test.each<[string, unknown]>([
    ['pairs of names', { conversation: [{ human: 'Hi', assistant: 'Hello' }] }],
    ['pairs of texts', { dialogue: [['Hi', 'Hello']] }],
    [
      'Gemini',
      {
        contents: [
          { role: 'user', parts: [{ text: 'Hi' }] },
          { role: 'model', parts: [{ text: 'Hello' }] },
        ],
      },
    ],
    ['Cohere', { messages: [say('User', 'Hi'), say('Chatbot', 'Hello')] }],
    ['columns of lists', { conversations: { role: ['user', 'assistant'], content: ['Hi', 'Hello'] } }],
    ['Python text', { messages: "[{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': \"Hello\"}]" }],
    ['a transcript', { chosen: '\n\nHuman: Hi\n\nAssistant: Hello' }],
    ['another transcript', { text: '### User: Hi\n### Assistant: Hello' }],
    [
      'an export of ChatGPT',
      {
        mapping: {
          a: { message: null, parent: null },
          b: { message: { author: { role: 'user' }, content: { parts: ['Hi'] } }, parent: 'a' },
          c: { message: { author: { role: 'assistant' }, content: { parts: ['Hello'] } }, parent: 'b' },
        },
      },
    ],
    ['inside an object', { data: { chat: { messages: expected } } }],
    ['the prompt and the whole', { prompt: [say('user', 'Hi')], completion: expected }],
  ])('%s', (_name, row) => {
    expect(first([row, row])).toMatchObject({ kind: 'messages', messages: expected });
  });

  test.each<[string, object]>([
    ['loss', { loss: false }],
    ['train', { train: false }],
    ['weight', { weight: 0 }],
    ['loss as text', { loss: 'false' }],
    ['masked', { masked: true }],
  ])('a turn that is not to be learned: %s', (_name, flag) => {
    const messages = [...expected, say('user', 'Bye'), { ...say('assistant', 'No'), ...flag }];
    expect(first([{ messages }])).toMatchObject({ messages: [...expected, say('user', 'Bye'), { train: false }] });
  });

  test.each<[string, object]>([
    ['reasoning_content', { reasoning_content: 'Hm.' }],
    ['thinking', { thinking: 'Hm.' }],
    [
      'parts',
      {
        content: [
          { type: 'thinking', thinking: 'Hm.' },
          { type: 'text', text: 'Hello' },
        ],
      },
    ],
  ])('thoughts: %s', (_name, more) => {
    expect(first([{ messages: [say('user', 'Hi'), { ...say('assistant', 'Hello'), ...more }] }])).toMatchObject({
      messages: [say('user', 'Hi'), { content: 'Hello', thoughts: 'Hm.' }],
    });
  });

  test('fields of messages that are not read are named once', () => {
    const rows = many(3, () => ({ messages: [{ ...say('user', 'Hi'), mood: 'glad' }, say('assistant', 'Hello')] }));
    const [problem] = parse('a.jsonl', jsonl(rows)).problems.filter(({ code }) => code === 'unread_fields');
    expect(problem?.message).toBe('The messages also have “mood”.');
  });
});
