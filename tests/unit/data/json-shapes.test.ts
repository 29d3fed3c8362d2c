import { describe, expect, test } from 'vitest';
import { parseJsonOrJsonl } from '../../../src/data/parse-jsonl';
import { codes, errorOf } from './helpers';

const read = (value: unknown, wanted: string | null = null, name = 'a.json') =>
  parseJsonOrJsonl(name, typeof value === 'string' ? value : JSON.stringify(value), wanted);
const rows = (value: unknown, wanted: string | null = null, name = 'a.json') =>
  read(value, wanted, name).rows.map((r) => ({ ...(r.value as object) }));
const A = { prompt: 'a', completion: 'b' };
const B = { prompt: 'c', completion: 'd' };

describe('several lists in one file', () => {
  test('train and test are one dataset with a split column', () => {
    const table = read({ train: [A, B], test: [A] });
    expect(table.columns).toEqual(['prompt', 'completion', 'split']);
    expect(rows({ train: [A, B], test: [A] }).map((row) => (row as { split?: string }).split)).toEqual([
      'train',
      'train',
      'test',
    ]);
    expect(codes(table)).toEqual(['several_lists']);
    expect(table.problems[0]!.message).toContain('“train” (2), “test” (1)');
  });

  test('topics are all read, with their names', () => {
    const found = rows({ greetings: [A, B], partings: [A], thanks: [B] });
    expect(found).toHaveLength(4);
    expect(found[2]).toEqual({ ...A, list: 'partings' });
  });

  test('lists of other columns are a question that names them', () => {
    const file = { data: [A, B], users: [{ id: 1, email: 'x' }] };
    const error = errorOf(() => read(file));
    expect(error.choices?.map(({ set }) => set)).toEqual([{ 'dataset.table': 'data' }, { 'dataset.table': 'users' }]);
    expect(rows(file, 'data')).toEqual([A, B]);
    expect(read(file, 'data').problems.map((p) => p.message)).toEqual(['The file also has “users”.']);
    expect(errorOf(() => read(file, 'other')).message).toContain('no list “other”');
  });

  test('a name that the rows have is not overwritten', () => {
    expect(rows({ train: [{ ...A, split: 'x' }], dev: [{ ...B, split: 'y' }] })[0]).toEqual({
      ...A,
      split: 'x',
      list: 'train',
    });
  });

  test('rows far inside are found, and what stands beside them is said', () => {
    const table = read({ meta: { version: 1 }, result: { status: 'ok', payload: { rows: [A, B] } } });
    expect(table.rows).toHaveLength(2);
    expect(codes(table)).toEqual(['rows_inside', 'rows_inside']);
  });

  test('a recipe-like file is a dataset', () => {
    expect(rows({ version: 1, dataset: [A, B] })).toEqual([A, B]);
  });
});

describe('columns and rows as pandas writes them', () => {
  const expected = [
    { text: 'good film', label: 'pos' },
    { text: 'bad film', label: 'neg' },
  ];
  test.each<[string, unknown]>([
    ['records', expected],
    [
      'split',
      {
        columns: ['text', 'label'],
        index: [0, 1],
        data: [
          ['good film', 'pos'],
          ['bad film', 'neg'],
        ],
      },
    ],
    [
      'tight',
      {
        index: [0, 1],
        columns: ['text', 'label'],
        data: [
          ['good film', 'pos'],
          ['bad film', 'neg'],
        ],
        index_names: [null],
        column_names: [null],
      },
    ],
    ['columns', { text: { 0: 'good film', 1: 'bad film' }, label: { 0: 'pos', 1: 'neg' } }],
    ['index', { 0: expected[0], 1: expected[1] }],
    ['list', { text: ['good film', 'bad film'], label: ['pos', 'neg'] }],
    ['list with a version', { version: 2, text: ['good film', 'bad film'], label: ['pos', 'neg'] }],
    ['table', { schema: { fields: [{ name: 'text' }, { name: 'label' }] }, data: expected }],
    [
      'values with a header',
      [
        ['text', 'label'],
        ['good film', 'pos'],
        ['bad film', 'neg'],
      ],
    ],
  ])('%s', (_name, value) => {
    expect(rows(value)).toEqual(expected);
  });

  test('values without names', () => {
    const table = read([
      ['good film', 'pos'],
      ['bad film', 'pos'],
    ]);
    expect(table.columns).toEqual(['column_1', 'column_2']);
    expect(codes(table)).toEqual(['no_header']);
  });

  test('pairs on the lines of a JSONL file', () => {
    const table = read('["Hi 0", "Hello 0"]\n["Hi 1", "Hello 1"]\n', null, 'a.jsonl');
    expect(table.columns).toEqual(['column_1', 'column_2']);
    expect(table.rows.map((r) => r.row)).toEqual([1, 2]);
  });

  test('records by name keep their names', () => {
    expect(rows({ first: { text: 'a', label: 1 }, second: { text: 'b', label: 0 } })).toEqual([
      { key: 'first', text: 'a', label: 1 },
      { key: 'second', text: 'b', label: 0 },
    ]);
  });

  test('indices that are no numbers', () => {
    expect(rows({ text: { r1: 'a', r2: 'b' }, label: { r1: 'x', r2: 'y' } })).toEqual([
      { text: 'a', label: 'x' },
      { text: 'b', label: 'y' },
    ]);
  });
});

describe('keys that are texts', () => {
  test('question and answer', () => {
    expect(rows({ 'What is 0?': 'It is 0.', 'What is 1?': 'It is 1.' })).toEqual([
      { question: 'What is 0?', answer: 'It is 0.' },
      { question: 'What is 1?', answer: 'It is 1.' },
    ]);
  });

  test('one question', () => {
    expect(rows({ 'What is 0?': 'It is 0.' })).toEqual([{ question: 'What is 0?', answer: 'It is 0.' }]);
  });

  test('words and meanings', () => {
    expect(rows({ cat: 'Katze', dog: 'Hund', cow: 'Kuh', hen: 'Huhn', pig: 'Schwein' })[0]).toEqual({
      question: 'cat',
      answer: 'Katze',
    });
  });

  test('texts with their labels', () => {
    const file = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`film ${i} was seen`, i % 2 ? 'pos' : 'neg']));
    expect(rows(file)[1]).toEqual({ text: 'film 1 was seen', label: 'pos' });
    expect(rows({ 'a good film': 1, 'a bad film': 0 })[0]).toEqual({ text: 'a good film', label: 1 });
  });

  test('texts by class', () => {
    expect(rows({ sport: ['a goal', 'a run'], news: ['a vote'] })).toEqual([
      { text: 'a goal', label: 'sport' },
      { text: 'a run', label: 'sport' },
      { text: 'a vote', label: 'news' },
    ]);
  });

  test('answers by question', () => {
    expect(rows({ 'What is 0?': ['Zero.'], 'What is 1?': ['One.', 'It is one.'] })).toEqual([
      { question: 'What is 0?', answer: 'Zero.' },
      { question: 'What is 1?', answer: ['One.', 'It is one.'] },
    ]);
  });

  test('lists of texts that are equally long are a question', () => {
    const file = { pos: ['a', 'b'], neg: ['c', 'd'] };
    expect(errorOf(() => read(file)).choices).toHaveLength(2);
    expect(rows(file, '(labels)')).toHaveLength(4);
    expect(rows(file, '(columns)')).toEqual([
      { pos: 'a', neg: 'c' },
      { pos: 'b', neg: 'd' },
    ]);
  });

  test('one example stays one', () => {
    expect(rows(A)).toEqual([A]);
    expect(
      rows({ instruction: 'Say hello to them.', output: 'Hello!', note: 'A note of several words.' }),
    ).toHaveLength(1);
  });
});

describe('conversations', () => {
  const turns = [
    { from: 'human', value: 'Hi' },
    { from: 'gpt', value: 'Hello' },
  ];
  test('under their numbers', () => {
    expect(rows({ 0: turns, 1: turns })).toEqual([{ messages: turns }, { messages: turns }]);
    expect(rows({ conversations: { 0: turns, 1: turns } })).toEqual([
      { conversations: turns },
      { conversations: turns },
    ]);
    expect(rows({ 0: turns })).toEqual([{ messages: turns }]);
  });

  test('a pair of answers is one row', () => {
    expect(rows({ chosen: turns, rejected: turns })).toEqual([{ chosen: turns, rejected: turns }]);
  });
});

describe('exports of other tools', () => {
  test('the Hub’s dataset viewer: rows, names of classes, what is missing', () => {
    const table = read({
      features: [
        { feature_idx: 0, name: 'text', type: { dtype: 'string', _type: 'Value' } },
        { feature_idx: 1, name: 'label', type: { names: ['neg', 'pos'], _type: 'ClassLabel' } },
      ],
      rows: [
        { row_idx: 0, row: { text: 'film 0', label: 0 }, truncated_cells: [] },
        { row_idx: 1, row: { text: 'film 1', label: 1 }, truncated_cells: ['text'] },
      ],
      num_rows_total: 25000,
    });
    expect(table.rows.map((r) => r.value)).toEqual([
      { text: 'film 0', label: 'neg' },
      { text: 'film 1', label: 'pos' },
    ]);
    expect(codes(table)).toEqual(['truncated_cells', 'part_of_dataset', 'class_names']);
    expect(table.problems[0]!.message).toContain('1 of 2 rows');
  });

  test.each<[string, unknown]>([
    [
      'a search index',
      [
        { _index: 'x', _id: '1', _source: A },
        { _index: 'x', _id: '2', _source: B },
      ],
    ],
    [
      'JSON:API',
      {
        data: [
          { id: '1', type: 'pairs', attributes: A },
          { id: '2', type: 'pairs', attributes: B },
        ],
      },
    ],
    [
      'Airtable',
      {
        records: [
          { id: 'r1', createdTime: 'x', fields: A },
          { id: 'r2', createdTime: 'y', fields: B },
        ],
      },
    ],
    [
      'Django',
      [
        { model: 'app.pair', pk: 1, fields: A },
        { model: 'app.pair', pk: 2, fields: B },
      ],
    ],
  ])('%s', (_name, value) => {
    expect(rows(value)).toEqual([A, B]);
  });

  test('intents with patterns and responses', () => {
    const table = read({
      intents: [
        { tag: 'hi', patterns: ['Hi', 'Hello', 'Hey'], responses: ['Hello!', 'Hi!'] },
        { tag: 'bye', patterns: ['Bye'], responses: ['Bye!', 'See you!'] },
        { tag: 'none', patterns: ['?'], responses: [] },
      ],
    });
    expect(table.rows.map((r) => r.value)).toEqual([
      { question: 'Hi', answer: 'Hello!', intent: 'hi' },
      { question: 'Hello', answer: 'Hi!', intent: 'hi' },
      { question: 'Hey', answer: 'Hello!', intent: 'hi' },
      { question: 'Bye', answer: 'Bye!', intent: 'bye' },
    ]);
    expect(codes(table)).toEqual(['intents', 'unused_answers', 'no_answer']);
    expect(rows({ intents: [{ intent: 'hi', examples: ['Hi', 'Hello'] }] })).toEqual([
      { text: 'Hi', label: 'hi' },
      { text: 'Hello', label: 'hi' },
    ]);
  });

  test('SQuAD', () => {
    const table = read({
      version: '2',
      data: [
        {
          title: 'Rome',
          paragraphs: [
            {
              context: 'Rome is old.',
              qas: [
                {
                  id: '1',
                  question: 'How is Rome?',
                  answers: [
                    { text: 'old', answer_start: 8 },
                    { text: 'is old', answer_start: 5 },
                  ],
                },
                { id: '2', question: 'Where?', answers: [], is_impossible: true },
              ],
            },
          ],
        },
      ],
    });
    expect(table.rows.map((r) => r.value)).toEqual([
      { context: 'Rome is old.', question: 'How is Rome?', answer: 'old' },
    ]);
    expect(table.totalRows).toBe(2);
    expect(codes(table)).toEqual(['squad', 'no_answer']);
  });

  test('Label Studio', () => {
    const choice = (...choices: string[]) => [
      { result: [{ value: { choices }, from_name: 'sentiment', to_name: 'text', type: 'choices' }] },
    ];
    const table = read([
      { id: 0, annotations: choice('pos'), data: { text: 'Review 0' } },
      { id: 1, annotations: choice('neg', 'odd'), data: { text: 'Review 1' } },
      { id: 2, annotations: [], data: { text: 'Review 2' } },
    ]);
    expect(table.rows.map((r) => r.value)).toEqual([
      { text: 'Review 0', label: 'pos' },
      { text: 'Review 1', label: ['neg', 'odd'] },
      { text: 'Review 2' },
    ]);
    expect(codes(table)).toEqual(['label_studio', 'not_annotated']);
    const spans = [
      { result: [{ value: { start: 0, end: 3, text: 'Ann', labels: ['PER'] }, from_name: 'ner', type: 'labels' }] },
    ];
    expect(codes(read([{ id: 0, annotations: spans, data: { text: 'Ann is here' } }]))).toContain('unread_annotations');
  });
});
