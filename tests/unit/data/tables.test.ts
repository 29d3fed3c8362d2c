import { describe, expect, test } from 'vitest';
import { hasHeader, isKnownName } from '../../../src/data/csv-header';
import { parseCsv } from '../../../src/data/parse-csv';
import { errorOf } from './helpers';

const cells = (text: string, name = 'a.csv') => {
  const table = parseCsv(name, text);
  return table.rows.map(({ value }) => Object.values(value as Record<string, string>));
};
const codesOf = (text: string, name = 'a.csv') => [...new Set(parseCsv(name, text).problems.map((p) => p.code))];
const lines = (n: number, make: (i: number) => string) => Array.from({ length: n }, (_, i) => make(i)).join('\n');

describe('line ends', () => {
  test.each([
    ['a CRLF header above LF rows', 'question,answer\r\nIs 0 odd?,no\nIs 1 odd?,yes\n'],
    ['an LF header above CRLF rows', 'question,answer\nIs 0 odd?,no\r\nIs 1 odd?,yes\r\n'],
    ['CR and LF', 'question,answer\rIs 0 odd?,no\nIs 1 odd?,yes\r'],
    ['all three', 'question,answer\r\nIs 0 odd?,no\rIs 1 odd?,yes\n'],
    ['CR alone', 'question,answer\rIs 0 odd?,no\rIs 1 odd?,yes'],
  ])('%s', (_name, text) => {
    const table = parseCsv('a.csv', text);
    expect(table.columns).toEqual(['question', 'answer']);
    expect(cells(text)).toEqual([
      ['Is 0 odd?', 'no'],
      ['Is 1 odd?', 'yes'],
    ]);
    expect(table.problems).toEqual([]);
  });

  test('a carriage return inside a text is no line end', () => {
    const text = `text,label\n${lines(20, (i) => (i === 7 ? 'one\rtwo,b' : `row ${i},a`))}\n`;
    expect(cells(text)[7]).toEqual(['one\rtwo', 'b']);
    expect(cells(text)).toHaveLength(20);
  });
});

describe('quotes', () => {
  test('in a tab-separated file, opening quotes are text and each line is a row', () => {
    const text = 'en\tde\nOne\teins\n"Two\tzwei\nThree "big" ones\tdrei\nSix" inch\tsechs\n"Eight"\tacht\nNine\tneun\n';
    expect(cells(text, 'a.tsv')).toEqual([
      ['One', 'eins'],
      ['"Two', 'zwei'],
      ['Three "big" ones', 'drei'],
      ['Six" inch', 'sechs'],
      ['"Eight"', 'acht'],
      ['Nine', 'neun'],
    ]);
    expect(codesOf(text, 'a.tsv')).toContain('quotes_as_text');
  });

  test('a tab-separated file with properly quoted cells keeps them', () => {
    expect(cells('text\tlabel\n"a ""b"" c"\tx\n"two\nlines"\ty\n', 'a.tsv')).toEqual([
      ['a "b" c', 'x'],
      ['two\nlines', 'y'],
    ]);
  });

  test('opening quotes in every tenth row of a CSV file lose no row', () => {
    const text = `text,label\n${lines(2000, (i) => `${i % 10 === 7 ? '"' : ''}some words ${i},${i % 3}`)}\n`;
    const table = parseCsv('a.csv', text);
    expect(table.rows).toHaveLength(2000);
    expect(cells(text)[7]).toEqual(['"some words 7', '1']);
    expect(table.problems.map((p) => p.code)).toContain('quotes_as_text');
  });

  test('a few stray quotes leave quoted cells as they are', () => {
    const text = 'text,label\n"a, b",x\n"open,y\nplain,z\n"c, d",x\n"again,y\n"e ""f""",z\n';
    expect(cells(text)).toEqual([
      ['a, b', 'x'],
      ['"open', 'y'],
      ['plain', 'z'],
      ['c, d', 'x'],
      ['"again', 'y'],
      ['e "f"', 'z'],
    ]);
    expect(codesOf(text)).toEqual(['unclosed_quote']);
  });

  test('cells over several lines stay whole', () => {
    const text = 'text,label\n"first\nsecond, with a comma\n\nthird",x\nplain,y\n"a\nb",z\n';
    expect(cells(text)).toEqual([
      ['first\nsecond, with a comma\n\nthird', 'x'],
      ['plain', 'y'],
      ['a\nb', 'z'],
    ]);
    expect(codesOf(text)).toEqual([]);
  });

  test('a cell over two lines that could be two rows is read as one, and named', () => {
    const text = 'name,address\nAnn,"Main Street, 5\nOslo, Norway"\nBob,"Elm Road\nParis"\nCy,"x, y"\n';
    expect(cells(text)[0]).toEqual(['Ann', 'Main Street, 5\nOslo, Norway']);
  });

  test.each([
    [
      'one column',
      'text\n"a, ""b"""\n"c, d and so\n"e, f"\n"g, h"\n',
      [['a, "b"'], ['"c, d and so'], ['e, f'], ['g, h']],
    ],
    [
      'two columns',
      'text,label\n"a, b","x"\n"c, d and so\n"e, f","y"\n"g, h","z"\n',
      [
        ['a, b', 'x'],
        ['"c', ' d and so'],
        ['e, f', 'y'],
        ['g, h', 'z'],
      ],
    ],
  ])('a line that was cut off inside a quoted cell swallows no row: %s', (_name, text, expected) => {
    expect(cells(text)).toEqual(expected);
    expect(codesOf(text)).toContain('unclosed_quote');
  });

  test('a line in quotes inside a cell over several lines is no row', () => {
    expect(cells('text\n"He said:\n""Hello, you.""\nand left"\nplain\n"so, so"\n')).toEqual([
      ['He said:\n"Hello, you."\nand left'],
      ['plain'],
      ['so, so'],
    ]);
  });

  test.each([
    ['backslashes before quotes', 'text,label\n"He said \\"go\\" to me, twice",a\n"She said \\"no\\", once",b\n'],
    ['doubled quotes', 'text,label\n"He said ""go"" to me, twice",a\n"She said ""no"", once",b\n'],
    ['spaces before quotes', 'text, label\n"He said ""go"" to me, twice", "a"\n"She said ""no"", once" , "b"\n'],
  ])('%s', (_name, text) => {
    expect(cells(text)).toEqual([
      ['He said "go" to me, twice', 'a'],
      ['She said "no", once', 'b'],
    ]);
  });

  test('a path that ends with a backslash is no escaped quote', () => {
    expect(cells('path,label\n"C:\\data\\",a\n"C:\\more, here\\",b\n')).toEqual([
      ['C:\\data\\', 'a'],
      ['C:\\more, here\\', 'b'],
    ]);
  });

  test.each([
    ['single', "'text','label'\n'note 0, with comma','a'\n'it''s note 1, too','b'\n"],
    ['typographic', "“text”,“label”\n“note 0, with comma”,“a”\n“it's note 1, too”,“b”\n"],
    ['German', "„text“;„label“\n„note 0, with comma“;„a“\n„it's note 1, too“;„b“\n"],
    ['French', "«text»;«label»\n«note 0, with comma»;«a»\n«it's note 1, too»;«b»\n"],
  ])('%s quotes', (_name, text) => {
    const table = parseCsv('a.csv', text);
    expect(table.columns).toEqual(['text', 'label']);
    expect(cells(text)).toEqual([
      ['note 0, with comma', 'a'],
      ["it's note 1, too", 'b'],
    ]);
  });

  test('apostrophes at the start of cells are not quotes', () => {
    expect(cells("text,label\n'Tis late,a\nplain,b\n'Twas so,c\n")).toEqual([
      ["'Tis late", 'a'],
      ['plain', 'b'],
      ["'Twas so", 'c'],
    ]);
  });
});

describe('what stands above and beside the rows', () => {
  test.each([';', '\t', '|', '^'])('sep=%s is no row', (mark) => {
    const text = `sep=${mark}\r\nquestion${mark}answer\r\nIs 0, or 2, odd?${mark}no\r\nIs 1 odd?${mark}yes\r\n`;
    expect(parseCsv('a.csv', text).columns).toEqual(['question', 'answer']);
    expect(cells(text)[0]).toEqual(['Is 0, or 2, odd?', 'no']);
  });

  test.each([
    [
      'a title and a blank row',
      'Support export 2024,,\n,,\nid,question,answer\n0,"How, 0?","So, 0."\n1,How 1?,So 1.\n',
    ],
    [
      'a title without separators',
      'Support export 2024\n\nid,question,answer\n0,"How, 0?","So, 0."\n1,How 1?,So 1.\n2,a,b\n',
    ],
    ['comments', '# exported, 2024\n# by Ann\nid,question,answer\n0,"How, 0?","So, 0."\n1,How 1?,So 1.\n2,a,b\n'],
    ['semicolons', 'Export vom 1.2.2024;;\nid;frage;antwort\n0;How, 0?;So, 0.\n1;How 1?;So 1.\n'],
  ])('%s', (_name, text) => {
    const table = parseCsv('a.csv', text);
    expect(table.columns).toHaveLength(3);
    expect(table.columns[0]).toBe('id');
    expect(cells(text)[0]).toEqual(['0', 'How, 0?', 'So, 0.']);
    expect(table.problems.map((p) => p.code)).toEqual(['title_rows']);
  });

  test('the first row of a file without a header is no title', () => {
    const text = 'good film,\nbad film,neg\nnice,pos\nawful,neg\nfine,pos\n';
    expect(cells(text)).toHaveLength(5);
  });

  test.each([
    ['a total', 'id,question,answer\n0,a?,b\n1,c?,d\n2,e?,f\nTotal,,\n', 3],
    ['a source', 'id,question,answer\n0,a?,b\n1,c?,d\n2,e?,f\n\nSource: our desk\n', 3],
    ['a row with one cell that is no note', 'id,question,answer\n0,a?,b\n1,c?,d\n2,e?,f\n3,,\n', 4],
  ])('below the rows: %s', (_name, text, count) => {
    expect(cells(text)).toHaveLength(count);
    expect(codesOf(text)).toEqual(count === 3 ? ['title_rows'] : []);
  });

  test('row names of R have no name in the header', () => {
    const text = '"text","label"\n"1","a film","pos"\n"2","a book","neg"\n"3","a play","pos"\n';
    expect(parseCsv('a.csv', text).columns).toEqual(['row_name', 'text', 'label']);
    expect(cells(text)[0]).toEqual(['1', 'a film', 'pos']);
  });

  test('separators at the ends of lines make no column', () => {
    expect(parseCsv('a.csv', 'text,label,,\na,b,,\nc,d,,\n').columns).toEqual(['text', 'label']);
  });

  test.each([
    ['unquoted', `text\n${lines(9, (i) => (i % 2 ? `Well, this is line ${i}, I think` : `Short line ${i}`))}\n`],
    ['quoted', `text\n${lines(9, (i) => (i % 2 ? `"Well, this is line ${i}, I think"` : `Short line ${i}`))}\n`],
    [
      'with as many commas in each',
      `text\n${lines(9, (i) => `Well, this is line ${i}`)}\n`.replace('text\n', 'text\nShort\n'),
    ],
    ['called .tsv', `sentence\n${lines(9, (i) => `Well, this; is | line ${i}`)}\n`],
  ])('one column with commas is whole lines: %s', (_name, text) => {
    const table = parseCsv('a.csv', text);
    expect(table.columns).toHaveLength(1);
    expect(cells(text).some(([cell]) => cell!.startsWith('Well, this'))).toBe(true);
    expect(table.rows).toHaveLength(table.totalRows);
  });

  test('if every row is too long, the error is about the rows', () => {
    const error = errorOf(() =>
      parseCsv('a.csv', `prompt,completion\n${lines(6, (i) => `Say ${i}, please,${i}, done`)}\n`),
    );
    expect(error.message).toContain('Every row has more cells than the header has names');
    expect(error.where).toBe('a.csv, line 2');
  });
});

describe('headers', () => {
  test.each([
    ['plural', 'Questions,Answers', 'What is 0?,It is 0.\nWhat is 1?,It is 1.'],
    ['German', 'Frage,Antwort', 'Was?,Das.\nWer?,Der.'],
    ['French', 'Question;Réponse', 'Quoi ?;Ça.\nQui ?;Lui.'],
    ['Spanish', 'pregunta,respuesta', '¿Qué?,Eso.\n¿Quién?,Él.'],
    ['Portuguese', 'Pergunta,Resposta', 'O quê?,Isso.\nQuem?,Ele.'],
    ['Italian', 'Domanda,Risposta', 'Cosa?,Questo.\nChi?,Lui.'],
    ['Russian', 'Вопрос,Ответ', 'Что?,Это.\nКто?,Он.'],
    ['Chinese', '问题,答案', '什么？,这个。\n谁？,他。'],
    ['Japanese', '質問,回答', '何？,これ。\n誰？,彼。'],
    ['Korean', '질문,답변', '뭐?,이것.\n누구?,그.'],
    ['Arabic', 'السؤال,الجواب', 'ما؟,هذا.\nمن؟,هو.'],
    ['composed', 'user_message,ticket_category', 'Hi,a\nHo,b'],
    ['initials', 'Q,A', 'What?,That.\nWho?,He.'],
    [
      'questions',
      'Timestamp,"How was it? Rate it.",Tell us more.',
      '2024/01/01 10:00:00,1,"Good, 0"\n2024/01/02 10:00:00,2,"Bad, 1"',
    ],
    [
      'questions above questions and answers',
      'What do people ask?,What do we say?',
      'Who is it?,It is Ann.\nAnd who else?,It is Bob.',
    ],
    ['questions in every column', 'What is your name?,What do you do?', 'Ann,I cook.\nBob,I drive a bus.'],
  ])('%s', (_name, header, rows) => {
    const table = parseCsv('a.csv', `${header}\n${rows}\n`);
    expect(table.headerless).toBe(false);
    expect(table.rows).toHaveLength(2);
  });

  test.each([
    [
      'answers that are names',
      [
        ['Is it a question?', 'answer'],
        ['Is it a text?', 'text'],
        ['Or so?', 'answer'],
      ],
    ],
    [
      'questions in the first column',
      [
        ['Why is it so?', 'Because.'],
        ['And how?', 'Well.'],
        ['Who?', 'He.'],
      ],
    ],
    [
      'a class called question',
      [
        ['question', 'How are you?'],
        ['statement', 'I am fine.'],
        ['question', 'And you?'],
      ],
    ],
  ])('no header: %s', (_name, records) => {
    expect(hasHeader(records)).toBe(false);
  });

  test('a sentence is not a name because of one word in it', () => {
    expect(isKnownName('Text messages were answered late')).toBe(false);
    expect(isKnownName('A title')).toBe(false);
  });
});

test('200,000 rows are read in about a second, stray quotes included', () => {
  const text = `text,label\n${lines(200_000, (i) => `${i % 1000 === 7 ? '"' : ''}some words of row ${i} and "more" of them,${i % 3}`)}\n`;
  const started = performance.now();
  expect(parseCsv('a.csv', text).rows).toHaveLength(200_000);
  expect(performance.now() - started).toBeLessThan(8000);
});
