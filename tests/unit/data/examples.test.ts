import { describe, expect, test } from 'vitest';
import { LIMIT_PER_CODE } from '../../../src/data/problems';
import { codes, errorOf, jsonl, parse } from './helpers';

const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });

describe('formats', () => {
  const long = 'A sentence that is long enough to be a text.';
  test.each<[string, unknown, string, Record<string, string>]>([
    ['messages', { messages: [user('a'), assistant('b')] }, 'messages', { messages: 'messages' }],
    ['messages by another name', { chat: [user('a'), assistant('b')] }, 'messages', { messages: 'chat' }],
    [
      'ShareGPT',
      {
        conversations: [
          { from: 'human', value: 'a' },
          { from: 'gpt', value: 'b' },
        ],
      },
      'sharegpt',
      { conversations: 'conversations' },
    ],
    [
      'Alpaca',
      { instruction: 'a', input: '', output: 'b' },
      'alpaca',
      { instruction: 'instruction', output: 'output' },
    ],
    [
      'Alpaca with input',
      { instruction: 'a', input: 'c', output: 'b' },
      'alpaca',
      { instruction: 'instruction', input: 'input', output: 'output' },
    ],
    [
      'Dolly',
      { instruction: 'a', context: 'c', response: 'b', category: 'x' },
      'alpaca',
      { instruction: 'instruction', input: 'context', output: 'response' },
    ],
    [
      'context, question and answer',
      { context: 'c', question: 'a', answer: 'b' },
      'alpaca',
      { instruction: 'question', input: 'context', output: 'answer' },
    ],
    [
      'prompt and completion',
      { prompt: 'a', completion: 'b' },
      'prompt_completion',
      { prompt: 'prompt', completion: 'completion' },
    ],
    [
      'question and answer',
      { id: 1, question: 'a', answer: 'b' },
      'prompt_completion',
      { prompt: 'question', completion: 'answer' },
    ],
    ['input and output', { input: 'a', output: 'b' }, 'prompt_completion', { prompt: 'input', completion: 'output' }],
    [
      'instruction and response',
      { instruction: 'a', response: 'b' },
      'prompt_completion',
      { prompt: 'instruction', completion: 'response' },
    ],
    [
      'capital letters and spaces',
      { 'User Message': 'a', RESPONSE: 'b' },
      'prompt_completion',
      { prompt: 'User Message', completion: 'RESPONSE' },
    ],
    [
      'words inside names',
      { 'Customer email': 'a', 'Our reply': 'b' },
      'prompt_completion',
      { prompt: 'Customer email', completion: 'Our reply' },
    ],
    [
      'a system column',
      { system: 's', prompt: 'a', completion: 'b' },
      'prompt_completion',
      { prompt: 'prompt', completion: 'completion', system: 'system' },
    ],
    ['text and label', { text: 'a', label: 'b' }, 'labelled', { text: 'text', label: 'label' }],
    ['integer classes', { text: 'a', label: 3 }, 'labelled', { text: 'text', label: 'label' }],
    ['sentence and sentiment', { sentence: 'a', sentiment: 'b' }, 'labelled', { text: 'sentence', label: 'sentiment' }],
    ['text', { text: long, meta: 7 }, 'text', { text: 'text' }],
    ['one column of text', { id: 1, Aufsatz: long }, 'text', { text: 'Aufsatz' }],
  ])('%s', (_name, row, format, mapping) => {
    const dataset = parse('a.jsonl', jsonl([row, row]));
    expect(dataset.format).toBe(format);
    expect(dataset.mapping).toEqual(mapping);
    expect(dataset.detected).toMatch(/^[A-Z].*\.$/);
    expect(dataset.examples).toHaveLength(2);
  });

  test('classes without a header, as in AG News', () => {
    const rows = Array.from(
      { length: 30 },
      (_, i) => `"${(i % 4) + 1}","Title ${i}","A longer description of event number ${i}"`,
    );
    const dataset = parse('ag.csv', rows.join('\n'));
    expect(dataset).toMatchObject({
      format: 'labelled',
      totalRows: 30,
      mapping: { text: 'column_3', label: 'column_1' },
    });
    expect(dataset.detected).toContain('guess');
    expect(dataset.examples[0]).toEqual({
      kind: 'labelled',
      row: 1,
      text: 'A longer description of event number 0',
      labels: ['1'],
    });
  });

  test('a chat in a CSV cell', () => {
    const cell = JSON.stringify([user('a'), assistant('b')]).replaceAll('"', '""');
    const dataset = parse('a.csv', `id,messages\n1,"${cell}"\n`);
    expect(dataset.format).toBe('messages');
    expect(codes(dataset)).toEqual(['unused_columns']);
  });

  test('the error for no usable column lists the columns and says what to do', () => {
    const error = errorOf(() => parse('a.csv', 'height,width\n1,2\n3,4\n'));
    expect(error).toMatchObject({ code: 'bad_data', where: 'a.csv' });
    expect(error.message).toContain('“height” and “width”');
    expect(error.action).toContain('prompt');
  });

  test('an answer in a list of objects is found, and further objects are named', () => {
    const instances = [{ input: '', output: 'b' }];
    const dataset = parse(
      'a.jsonl',
      jsonl([
        { instruction: 'a', instances },
        { instruction: 'c', instances: [...instances, ...instances] },
      ]),
    );
    expect(dataset.mapping).toEqual({ instruction: 'instruction', output: 'instances.output' });
    expect(dataset.examples[0]).toMatchObject({ messages: [user('a'), assistant('b')] });
    expect(codes(dataset)).toEqual(['more_items@2']);
  });

  test('nothing is guessed if there are nested lists next to a text', () => {
    const error = errorOf(() =>
      parse('a.jsonl', jsonl(Array(2).fill({ remark: 'a', parts: [{ weight: 1, size: 2 }] }))),
    );
    expect(error.details).toContain('parts');
  });

  test('mapping by hand', () => {
    const csv = 'a,b,c\nWhat?,ignored,That\n';
    const dataset = parse('a.csv', csv, { columns: { prompt: 'a', completion: 'c' } });
    expect(dataset.examples).toEqual([{ kind: 'prompt_completion', row: 1, prompt: 'What?', completion: 'That' }]);
    expect(parse('a.csv', csv, { columns: { text: 'a', label: 'c' } }).format).toBe('labelled');
    expect(parse('a.csv', csv, { columns: { text: 'a' } }).format).toBe('text');

    const missing = errorOf(() => parse('a.csv', csv, { columns: { prompt: 'a', completion: 'd' } }));
    expect(missing.message).toContain('no column “d”');
    expect(missing.action).toContain('“a”, “b” and “c”');
    expect(errorOf(() => parse('a.csv', csv, { columns: { prompt: 'a' } })).message).toContain(
      'do not make up a complete example',
    );
  });

  test('a format chosen by hand resolves an ambiguity', () => {
    const rows = jsonl([{ text: 'a b', label: 'x', prompt: 'p', completion: 'c' }]);
    expect(parse('a.jsonl', rows).format).toBe('prompt_completion');
    expect(parse('a.jsonl', rows, { format: 'labelled' }).examples[0]).toMatchObject({
      text: 'a b',
      labels: ['x'],
    });
    expect(parse('a.jsonl', rows, { format: 'text' }).examples[0]).toMatchObject({ kind: 'text', text: 'a b' });
    expect(errorOf(() => parse('a.jsonl', rows, { format: 'messages' })).code).toBe('bad_data');
  });
});

describe('conversion', () => {
  test('Alpaca becomes a conversation, with the input after the instruction', () => {
    const rows = [
      { instruction: 'Add.', input: '1 2', output: '3' },
      { instruction: 'Greet.', input: '', output: 'Hi' },
    ];
    expect(parse('a.json', JSON.stringify(rows)).examples).toEqual([
      { kind: 'messages', row: 1, messages: [user('Add.\n\n1 2'), assistant('3')] },
      { kind: 'messages', row: 2, messages: [user('Greet.'), assistant('Hi')] },
    ]);
  });

  test('ShareGPT with tools', () => {
    const turns = [
      ['system', 's'],
      ['human', 'a'],
      ['function_call', '{"name": "f"}'],
      ['observation', '42'],
      ['gpt', 'b'],
    ].map(([from, value]) => ({ from, value }));
    const dataset = parse('a.jsonl', jsonl([{ conversations: turns, tools: '[{"name": "f"}]' }]));
    expect(dataset.examples[0]).toMatchObject({
      messages: [
        { role: 'system', content: 's' },
        user('a'),
        assistant('{"name": "f"}'),
        { role: 'tool', content: '42' },
        assistant('b'),
      ],
    });
    expect(codes(dataset)).toEqual(['tools_not_used']);
  });

  test('pairs and judged answers are read as what they are, or as answers to imitate if a person says so', () => {
    const pair = {
      conversations: [{ from: 'human', value: 'a' }],
      chosen: { from: 'gpt', value: 'good' },
      rejected: { from: 'gpt', value: 'bad' },
    };
    const read = parse('a.json', JSON.stringify([pair]));
    expect(read.examples).toEqual([
      { kind: 'pair', row: 1, prompt: [user('a')], chosen: [assistant('good')], rejected: [assistant('bad')] },
    ]);
    expect(codes(read)).toEqual([]);
    const plain = jsonl([{ prompt: 'a', chosen: 'good', rejected: 'bad' }]);
    const imitated = parse('a.jsonl', plain, { format: 'prompt_completion' });
    expect(imitated.examples[0]).toMatchObject({ prompt: 'a', completion: 'good' });
    expect(codes(imitated)).toEqual(['worse_answers']);
    const marked = [true, false].map((label) => ({ messages: [user('a'), assistant(`b${label}`)], label }));
    expect(parse('a.json', JSON.stringify(marked)).examples).toEqual([
      { kind: 'judged', row: 1, prompt: [user('a')], completion: [assistant('btrue')], good: true },
      { kind: 'judged', row: 2, prompt: [user('a')], completion: [assistant('bfalse')], good: false },
    ]);
    const wanted = parse('a.json', JSON.stringify(marked), { format: 'messages' });
    expect(wanted.examples).toHaveLength(1);
    expect(codes(wanted)).toEqual(['unwanted_answer@2']);
  });

  test("in TRL's conversational prompt and completion, earlier answers are context", () => {
    const row = { prompt: [user('a'), assistant('b'), user('c')], completion: [assistant('d')] };
    expect(parse('a.jsonl', jsonl([row])).examples[0]).toMatchObject({
      messages: [
        user('a'),
        { role: 'assistant', content: 'b', train: false },
        user('c'),
        { role: 'assistant', content: 'd' },
      ],
    });
  });

  test("OpenAI's content parts, weights, developer role and tool calls", () => {
    const row = {
      messages: [
        { role: 'developer', content: 's' },
        user([{ type: 'text', text: 'a' }]),
        { role: 'assistant', content: 'b', weight: 0 },
        user('c'),
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
      ],
    };
    const dataset = parse('a.jsonl', jsonl([row]));
    expect(dataset.examples[0]).toMatchObject({
      messages: [
        { role: 'system', content: 's' },
        user('a'),
        { role: 'assistant', content: 'b', train: false },
        user('c'),
        assistant('{"name":"f","arguments":"{}"}'),
      ],
    });
    expect(codes(dataset)).toEqual(['tool_calls_as_text@1']);
  });
});

describe('rows with problems', () => {
  const good = { messages: [user('q'), assistant('a')] };
  test.each<[string, unknown, string, boolean]>([
    ['no role', { messages: [{ content: 'x' }, assistant('b')] }, 'missing_role', true],
    ['an unknown role', { messages: [{ role: 'narrator', content: 'x' }, assistant('b')] }, 'unknown_role', true],
    ['no content', { messages: [{ role: 'user' }, assistant('b')] }, 'not_text', true],
    ['null as content', { messages: [user(null), assistant('b')] }, 'not_text', true],
    ['an object as content', { messages: [user({ a: 1 }), assistant('b')] }, 'object_as_text', false],
    ['a number as content', { messages: [user(7), assistant('b')] }, 'not_text', false],
    ['an image', { messages: [user([{ type: 'image_url', image_url: 'x' }]), assistant('b')] }, 'not_text', true],
    ['an empty answer', { messages: [user('a'), assistant('  ')] }, 'empty_answer', true],
    ['no answer', { messages: [user('a')] }, 'no_assistant', true],
    ['an empty list', { messages: [] }, 'no_messages', true],
    ['no messages', {}, 'no_messages', true],
    ['a string instead of messages', { messages: 'hello' }, 'not_messages', true],
    [
      'a system message in the middle',
      { messages: [user('a'), { role: 'system', content: 's' }, assistant('b')] },
      'role_order',
      false,
    ],
    ['two user messages', { messages: [user('a'), user('b'), assistant('c')] }, 'role_order', false],
    ['an assistant message first', { messages: [assistant('b'), user('a'), assistant('c')] }, 'role_order', false],
    ['a user message last', { messages: [user('a'), assistant('b'), user('c')] }, 'role_order', false],
    ['a number as a row', 42, 'not_an_object', true],
    ['null as a row', null, 'not_an_object', true],
    ['half an emoji', { messages: [user('a \ud83d'), assistant('b')] }, 'lone_surrogate', false],
    ['a NUL character', { messages: [user('a\u0000'), assistant('b')] }, 'nul_bytes', false],
    ['a duplicate', good, 'duplicate', false],
  ])('%s', (_name, row, code, dropped) => {
    const dataset = parse('a.jsonl', jsonl([good, good, row]).replace(/\n/, '\n\n'));
    expect(codes(dataset)).toEqual(['duplicate@3', `${code}@4`]);
    const problem = dataset.problems[1]!;
    expect(problem).toMatchObject({ dropped, severity: dropped ? 'error' : 'warning' });
    expect(problem.message).toContain('Row 4');
    expect(problem.action).toMatch(/\w.*[.…]$/);
    expect(dataset.examples).toHaveLength(dropped ? 2 : 3);
  });

  test.each<[string, unknown, string, boolean]>([
    ['a missing column', { completion: 'b' }, 'missing_field', true],
    ['null', { prompt: 'a', completion: null }, 'not_text', true],
    ['an object', { prompt: { a: 1 }, completion: 'b' }, 'not_text', true],
    ['a number', { prompt: 'a', completion: 42 }, 'not_text', false],
    ['a boolean', { prompt: 'a', completion: true }, 'not_text', false],
    ['an empty answer', { prompt: 'a', completion: '' }, 'empty_answer', true],
    ['an empty prompt', { prompt: ' ', completion: 'b' }, 'empty_prompt', true],
  ])('prompt and completion: %s', (_name, row, code, dropped) => {
    const dataset = parse('a.jsonl', jsonl([{ prompt: 'p', completion: 'c' }, { prompt: 'q', completion: 'd' }, row]));
    expect(codes(dataset)).toEqual([`${code}@3`]);
    expect(dataset.examples).toHaveLength(dropped ? 2 : 3);
  });

  test('integer labels cause no warning', () => {
    const rows = Array.from({ length: 6 }, (_, i) => ({ text: `text number ${i}`, label: i % 2 }));
    const dataset = parse('a.jsonl', jsonl(rows));
    expect(dataset.problems).toEqual([]);
    expect(dataset.examples[1]).toMatchObject({ labels: ['1'] });
  });

  test.each([
    ['one label only', [3, 3, 3, 3], ['single_label']],
    ['mostly one label', [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2], ['label_imbalance']],
    ['a rare label', [1, 1, 2, 2, 3], ['rare_label']],
  ])('label balance: %s', (_name, labels, expected) => {
    const rows = labels.map((label, i) => ({ text: `text number ${i}`, label }));
    expect(codes(parse('a.jsonl', jsonl(rows)))).toEqual(expected);
  });

  test('the error for a file without usable rows gives the first reason', () => {
    const error = errorOf(() =>
      parse(
        'a.jsonl',
        jsonl([
          { prompt: 'a', completion: '' },
          { prompt: 'b', completion: ' ' },
          { prompt: 'x', completion: '   ' },
        ]),
      ),
    );
    expect(error).toMatchObject({ code: 'bad_data', where: 'a.jsonl' });
    expect(error.message).toContain('Row 1');
  });

  test('dangerous column names do not reach the prototype', () => {
    const line = '{"__proto__": {"polluted": 1}, "constructor": "c", "prompt": "a", "completion": "b"}';
    const dataset = parse('a.jsonl', `${line}\n`);
    expect(dataset.examples).toHaveLength(1);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    const mapped = parse('a.jsonl', line, { columns: { prompt: 'prompt', completion: 'constructor' } });
    expect(mapped.examples[0]).toMatchObject({ prompt: 'a', completion: 'c' });
  });

  test('many problems of one kind are summarised', () => {
    const rows = [{ prompt: 'a', completion: 'b' }, ...Array(1000).fill({ prompt: 'a', completion: 1 })];
    const dataset = parse('a.jsonl', jsonl(rows));
    expect(dataset.problems.filter((p) => p.code === 'not_text')).toHaveLength(LIMIT_PER_CODE + 1);
    expect(dataset.examples).toHaveLength(1001);
  });

  test('formulas and markup are ordinary text', () => {
    const dataset = parse('a.csv', 'prompt,completion\n=HYPERLINK("x"),<script>alert(1)</script>\n');
    expect(dataset.examples[0]).toMatchObject({ prompt: '=HYPERLINK("x")', completion: '<script>alert(1)</script>' });
  });
});
