/** Which columns are used, as what, and what is said of the others. */
import { describe, expect, test } from 'vitest';
import { shownTurns } from '../../../src/data/preference-parts';
import { usageSentence } from '../../../src/data/usage';
import { codes, errorOf, jsonl, parse } from './helpers';

const say = (role: string, content: string) => ({ role, content });
const many = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const first = (rows: unknown[], more = {}) => parse('a.jsonl', jsonl(rows), more).examples[0];

/** Whether each answer is good; null for an example of another kind. */
const judged = ({ examples }: ReturnType<typeof parse>) =>
  examples.map((example) => (example.kind === 'judged' ? example.good : null));

describe('what is used is said', () => {
  test('every column is named with its part, or with why it is not used', () => {
    const dataset = parse(
      'a.jsonl',
      jsonl(many(6, (i) => ({ id: i, question: `q${i}`, answer: `a${i}`, remark: `r${i}`, empty: '', site: 'x' }))),
    );
    expect(usageSentence(dataset)).toBe(
      'Used: “question” (prompt), “answer” (answer). Not used: “id” (identifies or describes rows), “remark”, “empty” (empty), “site” (the same in every row).',
    );
    const warning = dataset.problems.find(({ code }) => code === 'unused_columns')!;
    expect(warning.message).toContain('“remark”');
    expect(warning.message).not.toContain('“empty”');
  });

  test('a column of the last row counts, and one that is filled in every hundredth', () => {
    const rows = many(3001, (i) => ({
      instruction: `do ${i}`,
      output: `done ${i}`,
      ...(i % 100 === 99 ? { system: 'Be brief.' } : {}),
      ...(i === 3000 ? { input: 'late' } : {}),
    }));
    const dataset = parse('a.jsonl', jsonl(rows));
    expect(dataset.mapping).toEqual({ instruction: 'instruction', input: 'input', output: 'output', system: 'system' });
    expect(dataset.examples[99]).toMatchObject({
      messages: [say('system', 'Be brief.'), say('user', 'do 99'), say('assistant', 'done 99')],
    });
    expect(dataset.examples[3000]).toMatchObject({
      messages: [say('user', 'do 3000\n\nlate'), say('assistant', 'done 3000')],
    });
  });

  test('mapping one part by hand keeps the others', () => {
    const rows = many(4, (i) => ({
      prompt: `p${i}`,
      completion: `c${i}`,
      other: `o${i}`,
      system: 's',
      label: i % 2 === 0,
    }));
    const dataset = parse('a.jsonl', jsonl(rows), { columns: { completion: 'other' } });
    expect(dataset.mapping).toEqual({ prompt: 'prompt', completion: 'other', system: 'system', label: 'label' });
    expect(judged(dataset)).toEqual([true, false, true, false]);
    const all = parse('a.jsonl', jsonl(rows), { columns: { label: '' } });
    expect(all.examples).toHaveLength(4);
    expect(all.uses.find(({ column }) => column === 'label')).toMatchObject({ part: null });
  });
});

describe('the better answer is told from the worse', () => {
  const good = 'A fine answer.';
  const bad = 'A bad answer.';
  test.each<[string, Record<string, unknown>]>([
    ['rejected before chosen', { prompt: 'p', rejected: bad, chosen: good }],
    [
      'OpenAI',
      {
        input: { messages: [say('user', 'p')] },
        non_preferred_output: [say('assistant', bad)],
        preferred_output: [say('assistant', good)],
      },
    ],
    ['camel case', { question: 'p', rejectedResponse: bad, chosenResponse: good }],
    ['win and lose', { prompt: 'p', lose: bad, win: good }],
    ['better and worse', { prompt: 'p', worse_answer: bad, better_answer: good }],
    ['incorrect answers', { question: 'p', incorrect_answers: [bad], best_answer: good }],
    ['a winner by letter', { prompt: 'p', response_a: bad, response_b: good, winner: 'model_b' }],
    ['a winner by number', { prompt: 'p', answer_1: bad, answer_2: good, preferred: 2 }],
    ['a winner by name', { prompt: 'p', output_a: bad, output_b: good, better: 'output_b' }],
    ['scores', { prompt: 'p', response_a: bad, response_b: good, score_a: 2, score_b: 4.5 }],
  ])('%s', (_name, row) => {
    const dataset = parse('a.jsonl', jsonl(many(3, () => row)));
    expect(dataset.format).toBe('preference');
    const said = dataset.examples.map(
      (example) => example.kind === 'pair' && [example.chosen, example.rejected].map(shownTurns),
    );
    expect(said).toEqual(many(3, () => [good, bad]));
  });

  test.each<[string, string, unknown, unknown]>([
    ['true and false', 'label', true, false],
    ['as text', 'label', 'TRUE', 'False'],
    ['0 and 1', 'label', 1, 0],
    ['LLaMA-Factory', 'kto_tag', true, false],
    ['thumbs', 'thumbs_up', 1, 0],
    ['up and down', 'feedback', 'up', 'down'],
    ['high and low', 'quality', 'High', 'Low'],
    ['emoji', 'reaction', '👍', '👎'],
    ['good and bad', 'verdict', 'good', 'bad'],
    ['words in an unknown column', 'remark', 'accepted', 'rejected'],
    ['true means bad', 'is_toxic', false, true],
    ['true means rejected', 'rejected', 0, 1],
    ['fractions of a data frame', 'quality', '1.0', '0.0'],
  ])('quality: %s', (_name, column, yes, no) => {
    const rows = [yes, no, yes].map((value, i) => ({ prompt: `p${i}`, completion: `c${i}`, [column]: value }));
    const dataset = parse('a.jsonl', jsonl(rows));
    expect(dataset.format).toBe('unpaired_preference');
    expect(judged(dataset)).toEqual([true, false, true]);
  });

  test('a column of two values whose meaning is unclear is a question', () => {
    const rows = many(4, (i) => ({ prompt: `p${i}`, completion: `c${i}`, kept: i % 2 === 0 }));
    const error = errorOf(() => parse('a.jsonl', jsonl(rows)));
    expect(error.message).toContain('“kept”');
    const [marksGood, marksBad, neither] = error.choices!.map(({ set }) => {
      const columns = set['dataset.columns'] as Record<string, string>;
      return judged(parse('a.jsonl', jsonl(rows), { columns }));
    });
    expect([marksGood, marksBad, neither]).toEqual([
      [true, false, true, false],
      [false, true, false, true],
      [null, null, null, null],
    ]);
  });

  test.each<[string, Record<string, unknown>[], RegExp]>([
    [
      'answers whose names do not rank them',
      many(3, (i) => ({ question: `q${i}`, response_j: `a${i}`, response_k: `b${i}` })),
      /several answers/,
    ],
    [
      'a judgement in unknown words',
      many(4, (i) => ({ prompt: `p${i}`, completion: `c${i}`, verdict: i % 2 ? 'keep' : 'drop' })),
      /“verdict”/,
    ],
  ])('is a question: %s', (_name, rows, message) => {
    const error = errorOf(() => parse('a.jsonl', jsonl(rows)));
    expect(error.message).toMatch(message);
    for (const { set } of error.choices!) {
      const columns = set['dataset.columns'] as Record<string, string>;
      expect(parse('a.jsonl', jsonl(rows), { columns }).examples).toHaveLength(rows.length);
    }
  });

  test('a question about a guessed file can be answered', () => {
    const rows = many(4, (i) => ({
      'Customer question': `q number ${i}`,
      'Our answer': `a number ${i}`,
      kept: i % 2 === 0,
    }));
    const choices = errorOf(() => parse('a.jsonl', jsonl(rows))).choices!;
    const good = choices.map(({ set }) =>
      judged(parse('a.jsonl', jsonl(rows), { columns: set['dataset.columns'] as Record<string, string> })),
    );
    expect(good).toEqual([
      [true, false, true, false],
      [false, true, false, true],
      [null, null, null, null],
    ]);
  });

  test('two answers without a judge are a question; ties are left out', () => {
    const error = errorOf(() =>
      parse('a.jsonl', jsonl(many(3, (i) => ({ prompt: `p${i}`, response_a: `a${i}`, response_b: `b${i}` })))),
    );
    expect(error.choices?.map(({ label }) => label)).toEqual([
      'Learn “response_a”',
      'Learn “response_b”',
      'Compare them: “response_a” is better',
      'Compare them: “response_b” is better',
    ]);
    const rows = ['a', 'tie', 'b'].map((winner, i) => ({
      prompt: `p${i}`,
      response_a: `a${i}`,
      response_b: `b${i}`,
      winner,
    }));
    const dataset = parse('a.jsonl', jsonl(rows));
    expect(dataset.examples).toMatchObject([
      { chosen: 'a0', rejected: 'b0' },
      { chosen: 'b2', rejected: 'a2' },
    ]);
    expect(codes(dataset)).toEqual(['tie@2']);
  });

  test('words that are said of other things too are no judgement without a name that says so', () => {
    const row = (i: number, more: object) => ({ question: `q${i}`, answer: `a${i}`, ...more });
    const priority = many(9, (i) => row(i, { priority: ['high', 'medium', 'low'][i % 3] }));
    expect(errorOf(() => parse('a.jsonl', jsonl(priority))).message).toContain('“priority”');
    const mood = many(8, (i) => row(i, { sentiment: ['positive', 'negative'][i % 2] }));
    expect(errorOf(() => parse('a.jsonl', jsonl(mood))).choices).toHaveLength(3);
    expect(parse('a.jsonl', jsonl(mood), { columns: { label: '' } }).examples).toHaveLength(8);
  });

  test('what is blank is no number: it neither wins nor names an answer', () => {
    const scores = [
      ['', -1],
      [2, 1],
    ].map(([score_a, score_b], i) => ({ prompt: `p${i}`, response_a: `a${i}`, response_b: `b${i}`, score_a, score_b }));
    expect(parse('a.jsonl', jsonl(scores)).examples).toMatchObject([{ row: 2, chosen: 'a1', rejected: 'b1' }]);
    const places = [1, null, 0].map((best, i) => ({ prompt: `p${i}`, answers: [`x${i}`, `y${i}`], best }));
    expect(parse('a.jsonl', jsonl(places)).examples).toMatchObject([{ completion: 'y0' }, { completion: 'x2' }]);
  });

  test('a class beside a text is no judgement', () => {
    const rows = many(8, (i) => ({ text: `A text, number ${i}`, label: i % 2 ? 'good' : 'bad' }));
    expect(parse('a.jsonl', jsonl(rows)).examples).toHaveLength(8);
  });
});

describe('parts that go with an example', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['a passage', { query: 'q', context: 'c', response: 'r' }, 'q\n\nc'],
    ['a document', { instruction: 'q', document: 'c', response: 'r' }, 'q\n\nc'],
    ['what was retrieved', { user_query: 'q', retrieved_context: 'c', response: 'r' }, 'q\n\nc'],
    ['several passages', { question: 'q', contexts: ['c', 'd'], answer: 'r' }, 'q\n\nc\n\nd'],
    ['choices in columns', { question: 'q', A: 'x', B: 'y', C: 'z', answer: 'B' }, 'q\n\nA. x\nB. y\nC. z'],
    ['choices under other names', { question: 'q', option_1: 'x', option_2: 'y', answer: 'x' }, 'q\n\nA. x\nB. y'],
    ['choices in a list', { question: 'q', choices: ['x', 'y'], answer: 'x' }, 'q\n\nA. x\nB. y'],
    [
      'choices with letters',
      { question: 'q', choices: { text: ['x', 'y'], label: ['1', '2'] }, answerKey: '2' },
      'q\n\n1. x\n2. y',
    ],
    ['choices by letter', { question: 'q', options: { A: 'x', B: 'y' }, answer: 'B' }, 'q\n\nA. x\nB. y'],
    ['SQuAD', { question: 'q', context: 'c', answers: { text: ['r'], answer_start: [0] } }, 'q\n\nc'],
  ])('%s', (_name, row, prompt) => {
    expect(JSON.stringify(first([row, row]))).toContain(JSON.stringify(prompt).slice(1, -1));
  });

  test.each<[string, unknown[], string[]]>([
    ['from 0', [0, 1, 2], ['A', 'B', 'C']],
    ['from 1', [1, 2, 3], ['A', 'B', 'C']],
    ['from 1, as fractions', ['1.0', '3.0', '2.0'], ['A', 'C', 'B']],
    ['as letters', ['C', 'A', 'B'], ['C', 'A', 'B']],
    ['as the choices themselves', ['7', '8', '9'], ['7', '8', '9']],
  ])('answers count the choices %s', (_name, answers, learned) => {
    const rows = answers.map((answer, i) => ({ question: `q${i}`, choices: ['7', '8', '9'], answer }));
    expect(parse('a.jsonl', jsonl(rows)).examples.map((e) => (e as { completion?: string }).completion)).toEqual(
      learned,
    );
  });

  test('earlier turns, thoughts and a system prompt', () => {
    const row = { instruction: 'q', output: 'r', history: [['a', 'b']], system: 's', reasoning: 'Because.' };
    expect(first([row])).toEqual({
      kind: 'messages',
      row: 1,
      messages: [
        say('system', 's'),
        say('user', 'a'),
        { ...say('assistant', 'b'), train: false },
        say('user', 'q'),
        { ...say('assistant', 'r'), thoughts: 'Because.' },
      ],
    });
  });

  test.each([
    ['summary', { text: 'A long report about many things.', summary: 'A report.' }],
    ['translation', { text: 'Good day to you', translation: 'Guten Tag' }],
    ['sql', { question: 'How many?', sql: 'SELECT 1' }],
    ['Spanish', { Pregunta: 'Que tal', Respuesta: 'Bien' }],
    ['French', { Questions: 'Quoi donc', Réponses: 'Rien' }],
    ['Chinese', { 问题: '你好吗', 答案: '很好' }],
  ])('%s beside a text is its answer', (_name, row) => {
    const [prompt, completion] = Object.values(row);
    expect(first([row, row])).toMatchObject({ prompt, completion });
  });

  test('pictures: rows that are about one are left out', () => {
    const dataset = parse(
      'a.jsonl',
      jsonl([
        { prompt: 'p', completion: 'c', image: 'a.png' },
        { prompt: 'q', completion: 'd', image: null },
      ]),
    );
    expect(dataset.examples.map(({ row }) => row)).toEqual([2]);
    expect(codes(dataset)).toEqual(['has_images@1']);
  });
});

describe('labels', () => {
  const note = (i: number) => `A note about thing number ${i}`;
  test.each<[string, unknown[], (string[] | number)[]]>([
    [
      'vectors',
      [
        [1, 0, 0],
        [0, 1, 1],
        [0, 0, 0],
      ],
      [['0'], ['1', '2'], []],
    ],
    [
      'fractions of a vector',
      [
        [1.0, 0.0],
        [0.0, 1.0],
        [1.0, 1.0],
      ],
      [['0'], ['1'], ['0', '1']],
    ],
    ['vectors as text', ['[True, False]', '[False, True]', '[False, False]'], [['0'], ['1'], []]],
    ['lists of numbers', [[3], [1, 2], [2]], [['3'], ['1', '2'], ['2']]],
    ['Python lists', ["['a', 'b']", "['b']", '[]'], [['a', 'b'], ['b'], []]],
    ['a separator', ['a; b', 'b', 'a'], [['a', 'b'], ['b'], ['a']]],
    ['a bar', ['a|b', 'b', 'a|b'], [['a', 'b'], ['b'], ['a', 'b']]],
    ['a decimal comma', ['0,5', '1,5', '2'], [0.5, 1.5, 2]],
    [
      'a comma in one name',
      ['Kyiv, Ukraine', 'Rome, Italy', 'Oslo, Norway'],
      [['Kyiv, Ukraine'], ['Rome, Italy'], ['Oslo, Norway']],
    ],
  ])('%s', (_name, labels, expected) => {
    const dataset = parse('a.jsonl', jsonl(labels.map((label, i) => ({ text: note(i), label }))));
    expect(dataset.examples.map((e) => (e as { labels?: unknown }).labels)).toEqual(expected);
  });

  test('a column of 0 and 1 for each label', () => {
    const rows = [
      [1, 0],
      [0, 0],
      [1, 1],
    ].map(([rude, loud], i) => ({ text: note(i), rude, loud }));
    const dataset = parse('a.jsonl', jsonl(rows));
    expect(dataset.examples.map((e) => (e as { labels?: unknown }).labels)).toEqual([['rude'], [], ['rude', 'loud']]);
    expect(dataset.detected).toContain('guess');
  });

  test('names that differ in case or spaces are offered as one', () => {
    const rows = ['Good', 'good', 'Good ', 'Bad', 'bad', 'Bad'].map((label, i) => ({ text: note(i), label }));
    const dataset = parse('a.jsonl', jsonl(rows));
    const problem = dataset.problems.find(({ code }) => code === 'alike_labels')!;
    expect(problem.choices).toEqual([{ label: 'Read as one', set: { 'dataset.merge_labels': true } }]);
    const merged = parse('a.jsonl', jsonl(rows), { merge_labels: true });
    expect(merged.examples.map((e) => (e as { labels?: unknown }).labels)).toEqual([
      ['Good'],
      ['Good'],
      ['Good'],
      ['Bad'],
      ['Bad'],
      ['Bad'],
    ]);
  });

  test('a list that cannot be read is refused', () => {
    const rows = ["['a', 'b']", "['a', 'b", "['b']"].map((label, i) => ({ text: note(i), label }));
    expect(codes(parse('a.jsonl', jsonl(rows)))).toContain('broken_list@2');
  });

  test.each([
    ['premise', 'hypothesis'],
    ['sentence1', 'sentence2'],
    ['text_a', 'text_b'],
    ['question1', 'question2'],
  ])('a pair of texts: %s and %s', (a, b) => {
    const dataset = parse(
      'a.jsonl',
      jsonl(many(4, (i) => ({ [a]: `One ${i} is here`, [b]: `Two ${i} is there`, label: i % 2 }))),
    );
    expect(dataset.examples[0]).toMatchObject({ text: 'One 0 is here\nTwo 0 is there', labels: ['0'] });
    expect(codes(dataset)).toContain('text_pair');
  });
});
