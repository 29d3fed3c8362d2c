import { describe, expect, test } from 'vitest';
import { readTable } from '../../../src/data/read-table';
import { codes, parse, utf8 } from './helpers';

const read = (name: string, text: string, format: 'auto' | 'text' = 'auto') => readTable(name, utf8(text), { format });
const values = (name: string, text: string) => read(name, text).rows.map((r) => ({ ...(r.value as object) }));
const lines = (n: number, make: (i: number) => string) =>
  `${Array.from({ length: n }, (_, i) => make(i)).join('\n')}\n`;

describe('text files that hold rows', () => {
  test.each([
    ['tabs', lines(6, (i) => `${i % 2 ? 'spam' : 'ham'}\tmessage ${i}, for you`)],
    ['a header and commas', `text,label\n${lines(6, (i) => `message ${i},${i % 2 ? 'spam' : 'ham'}`)}`],
    ['a header and semicolons', `Frage;Antwort\n${lines(6, (i) => `Was, ${i}?;Das ${i}.`)}`],
  ])('a table with %s', (_name, text) => {
    const table = read('a.txt', text);
    expect(table.columns).toHaveLength(2);
    expect(table.rows).toHaveLength(6);
  });

  test.each([
    [
      'one label',
      '__label__ham see you\n__label__spam buy now\n',
      [
        { text: 'see you', label: 'ham' },
        { text: 'buy now', label: 'spam' },
      ],
    ],
    [
      'several',
      '__label__a __label__b both\n__label__a one\n',
      [
        { text: 'both', label: ['a', 'b'] },
        { text: 'one', label: ['a'] },
      ],
    ],
    [
      'labels behind',
      'see you __label__ham\nbuy now __label__spam\n',
      [
        { text: 'see you', label: 'ham' },
        { text: 'buy now', label: 'spam' },
      ],
    ],
    [
      'with commas',
      '__label__ham , see you\n__label__spam , buy now\n',
      [
        { text: 'see you', label: 'ham' },
        { text: 'buy now', label: 'spam' },
      ],
    ],
  ])('fastText, %s', (_name, text, expected) => {
    for (const name of ['a.txt', 'a.train']) expect(values(name, text)).toEqual(expected);
  });

  test.each([
    ['SubRip', lines(3, (i) => `${i + 1}\n00:00:0${i},000 --> 00:00:0${i},900\n<i>Line ${i}</i>\nof the film\n`)],
    ['WebVTT', `WEBVTT\n\n${lines(3, (i) => `00:0${i}.000 --> 00:0${i}.900\nLine ${i}\nof the film\n`)}`],
    ['without blank lines', lines(3, (i) => `${i + 1}\n00:00:0${i},000 --> 00:00:0${i},900\nLine ${i}\nof the film\n`)],
  ])('subtitles: %s', (_name, text) => {
    expect(values('a.srt', text)).toEqual([0, 1, 2].map((i) => ({ text: `Line ${i}\nof the film` })));
    expect(codes(read('a.txt', text))).toEqual(['subtitles']);
  });

  test.each([
    ['Q', 'A', 'one after another', ''],
    ['User', 'Assistant', 'one after another', ''],
    ['Frage', 'Antwort', 'with blank lines', '\n'],
    ['问', '答', 'one after another', ''],
    ['Вопрос', 'Ответ', 'with blank lines', '\n'],
    ['**Question 1**', '**Answer 1**', 'in bold', '\n'],
  ])('%s: and %s: %s', (asks, answers, _how, gap) => {
    const text = lines(4, (i) => `${asks}: What is ${i}?\n${answers}: It is ${i}.\nReally.${gap}`);
    expect(values('a.txt', text)[1]).toEqual({ question: 'What is 1?', answer: 'It is 1.\nReally.' });
    expect(values('a.txt', text)).toHaveLength(4);
  });

  test('groups of turns are conversations', () => {
    const text = lines(3, (i) => `User: Hi ${i}\nAssistant: Hello ${i}\nUser: Bye ${i}\nAssistant: Ciao ${i}\n`);
    expect(values('a.txt', text)[2]).toEqual({
      messages: [
        { role: 'user', content: 'Hi 2' },
        { role: 'assistant', content: 'Hello 2' },
        { role: 'user', content: 'Bye 2' },
        { role: 'assistant', content: 'Ciao 2' },
      ],
    });
  });

  test('one sentence a line', () => {
    const text = lines(30, (i) => `This is sentence ${i} of the corpus${i % 3 ? '.' : '!'}`);
    const table = read('a.txt', text);
    expect(table.rows).toHaveLength(30);
    expect(codes(table)).toEqual(['lines']);
    expect(table.problems[0]!.choices).toEqual([{ label: expect.any(String), set: { 'dataset.format': 'text' } }]);
    expect(read('a.txt', text, 'text').rows).toHaveLength(1);
    expect(values('a.txt', '这是第一句。\n这是第二句。\n这是第三句！\n这是第四句？\n这是第五句。\n')).toHaveLength(5);
  });

  test.each([
    [
      'wrapped prose',
      'It was a long day, and nobody\nknew what to do about the rain.\nThen the sun came out\nand everything was dry again.\nThey went home.\n',
    ],
    ['passages', 'One passage.\n\nAnother one.\n\nA third.\n\nA fourth.\n\nA fifth.\n\nA sixth.\n'],
    ['a note', 'Q: a single question in a text\nthat goes on and on\nand never has an answer\n'],
    ['a play', 'Act one.\nANNA: Where is he?\nBERT: Gone.\nThey leave.\n'],
  ])('%s stays text', (_name, text) => {
    expect(read('a.txt', text).columns).toEqual(['text']);
    expect(codes(read('a.txt', text))).toEqual([]);
  });
});

describe('words for nothing', () => {
  const column = (name: string, text: string, key: string) =>
    values(name, text).map((row) => (row as Record<string, unknown>)[key]);

  test('nan and None beside real empties are empty, and said', () => {
    const text = 'text,label\na,pos\nnan,pos\nb,nan\nc,\n,neg\nNone,None\nN/A,neg\nd,pos\n';
    expect(column('a.csv', text, 'text')).toEqual(['a', '', 'b', 'c', '', '', '', 'd']);
    expect(column('a.csv', text, 'label')).toEqual(['pos', 'pos', '', '', 'neg', '', 'neg', 'pos']);
    const { problems } = read('a.csv', text);
    expect(problems.map((p) => p.code)).toEqual(['missing_words', 'missing_words']);
    expect(problems[0]!.message).toContain('nan (1), None (1), N/A (1)');
    expect(problems[0]!.rows).toBe(3);
  });

  test.each(['nan', 'NaN', '<NA>', '\\N', '#N/A', '#REF!', '#DIV/0!', '#NV'])('%s is never a value', (word) => {
    expect(column('a.csv', `question,answer\na?,b\nc?,${word}\nd?,e\n`, 'answer')).toEqual(['b', '', 'e']);
  });

  test('“None” in several rows of a column of texts', () => {
    const text = lines(6, (i) => JSON.stringify({ prompt: `Say ${i}`, completion: i % 2 ? 'None' : `${i}!` }));
    expect(column('a.jsonl', text, 'completion')).toEqual(['0!', '', '2!', '', '4!', '']);
  });

  test('“None” once is a word, and as often as the other classes it is a class', () => {
    expect(column('a.csv', 'question,answer\nHow many?,None\nWhich?,Two\nWho?,Ann\n', 'answer')[0]).toBe('None');
    const classes = `text,label\n${lines(12, (i) => `row ${i},${['None', 'Mild', 'Severe'][i % 3]}`)}`;
    expect(column('a.csv', classes, 'label')[0]).toBe('None');
    expect(codes(read('a.csv', classes))).toEqual(['word_as_class']);
  });

  test('NaN as JSON writes it', () => {
    expect(column('a.jsonl', '{"text": "a", "label": NaN}\n{"text": "b", "label": "x"}\n', 'label')).toEqual([
      null,
      'x',
    ]);
  });

  test('prose keeps its words', () => {
    expect(values('a.txt', 'None\n\nN/A\n\nnan\n')[0]).toEqual({ text: 'None\n\nN/A\n\nnan' });
  });
});

test('rows that were left out are counted as rows', () => {
  const text = `text,label\n${lines(1000, (i) => (i % 4 === 0 ? `a, b and ${i},x` : `words ${i},${i % 2 ? 'y' : 'x'}`))}`;
  const dataset = parse('a.csv', text);
  expect(dataset.totalRows).toBe(1000);
  expect(dataset.leftOut).toBe(250);
  expect(dataset.problems.find((p) => p.more)!.rows).toBe(50);
});
