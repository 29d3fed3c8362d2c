/** Tables as spreadsheets, databases and people write them: every row once, whole, and rows that are lost are counted. */
import { describe } from 'vitest';
import { asks, check, gives, lines, pairs, refuses, times } from './harness';

const ask = (i: number) => `Where does hen ${i} sleep?`;
const tell = (i: number) => `On perch ${i}.`;
const eight = pairs(8, ask, tell);
const rows = (make: (i: number) => string) => times(8, make);
const labelled = (count: number, text: (i: number) => string, label: (i: number) => string) =>
  times(
    count,
    (i) =>
      [
        ['c', text(i)],
        ['l', label(i)],
      ] as const,
  );
const mood = (i: number) => ['calm', 'loud'][i % 2]!;

describe('line ends', () => {
  const table = ['question,answer', ...rows((i) => `${ask(i)},${tell(i)}`)];
  const ended = (end: (i: number) => string) => table.map((line, i) => line + end(i)).join('');
  check(
    Object.entries({
      'a header with CRLF and rows with LF': ended((i) => (i === 0 ? '\r\n' : '\n')),
      'a header with LF and rows with CRLF': ended((i) => (i === 0 ? '\n' : '\r\n')),
      'CRLF and LF by turns': ended((i) => (i % 2 ? '\r\n' : '\n')),
      'old Mac line ends': ended(() => '\r'),
      'CR among LF': ended((i) => (i === 4 ? '\r' : '\n')),
      'no end after the last row': table.join('\n'),
      'empty lines between rows': ended(() => '\n\n'),
    }).map(([name, content]) => ({ name, file: 'a.csv', content, ends: gives(eight) })),
  );
  check([
    {
      name: 'a line break inside a quoted cell stays, whatever ends the rows',
      file: 'a.csv',
      content: `question,answer\r\n${rows((i) => `"Where does\nhen ${i} sleep?",${tell(i)}`).join('\r\n')}\r\n`,
      ends: gives(pairs(8, (i) => `Where does\nhen ${i} sleep?`, tell)),
    },
  ]);
});

describe('quotes', () => {
  const pairRows = (en: string[], fi: string[]) =>
    en.map(
      (text, i) =>
        [
          ['u', text],
          ['a', fi[i]!],
        ] as const,
    );
  const en = ['Bread', '"Milk', 'Some "old" cheese', 'Salt', '12" pan', 'Water', '"Eggs"', 'Oil'];
  const fi = ['leipä', 'maito', 'vanhaa juustoa', 'suola', 'pannu', 'vesi', 'munat', 'öljy'];
  // A cell that is quoted as a whole may be read with its quotes or without.
  const bare = en.map((text) => (text === '"Eggs"' ? 'Eggs' : text));
  check([
    {
      name: 'a TSV file that does not quote',
      file: 'words.tsv',
      content: lines('en\tfi', ...en.map((text, i) => `${text}\t${fi[i]}`)),
      ends: [gives(pairRows(en, fi)), gives(pairRows(bare, fi))],
    },
    {
      name: 'a TSV file with labels, where quotes open and never close',
      file: 'words.tsv',
      content: lines('sentence\tlabel', ...times(10, (i) => `${i % 3 ? '' : '"'}Hen ${i} clucks\t${i % 2}`)),
      ends: gives(
        labelled(
          10,
          (i) => `${i % 3 ? '' : '"'}Hen ${i} clucks`,
          (i) => `${i % 2}`,
        ),
      ),
    },
    {
      name: 'one opening quote in a CSV file',
      file: 'a.csv',
      content: lines('question,answer', ...rows((i) => `${i === 3 ? '"' : ''}${ask(i)},${tell(i)}`)),
      ends: [
        gives(pairs(8, (i) => (i === 3 ? `"${ask(i)}` : ask(i)), tell)),
        gives(eight, /quote/i),
        gives(
          eight.filter((_, i) => i !== 3),
          /quote/i,
        ),
      ],
    },
    {
      name: 'an opening quote in every fortieth of 3,000 rows',
      file: 'a.csv',
      content: lines(
        'text,label',
        ...times(3000, (i) => `${i % 40 === 7 ? '"' : ''}hen ${i} clucked twice,${mood(i)}`),
      ),
      ends: [
        gives(labelled(3000, (i) => `${i % 40 === 7 ? '"' : ''}hen ${i} clucked twice`, mood)),
        gives(
          labelled(3000, (i) => `hen ${i} clucked twice`, mood),
          /quote/i,
        ),
        gives(
          labelled(3000, (i) => `hen ${i} clucked twice`, mood).filter((_, i) => i % 40 !== 7),
          /75 rows|75 of 3,?000/,
        ),
      ],
    },
    {
      name: 'quotes inside with a backslash',
      file: 'a.csv',
      content: lines('text,label', ...times(10, (i) => `"Hen ${i} said \\"cluck\\", and left",${mood(i)}`)),
      ends: gives(labelled(10, (i) => `Hen ${i} said "cluck", and left`, mood)),
    },
    {
      name: 'a space before each quote',
      file: 'a.csv',
      content: lines(
        'question, answer',
        ...rows((i) => `"Where, at night, does hen ${i} sleep?", "On perch ${i}, alone."`),
      ),
      ends: gives(
        pairs(
          8,
          (i) => `Where, at night, does hen ${i} sleep?`,
          (i) => `On perch ${i}, alone.`,
        ),
      ),
    },
    {
      name: 'single quotes',
      file: 'a.csv',
      content: lines("'text','label'", ...times(10, (i) => `'hen ${i}, brown','${mood(i)}'`)),
      ends: [gives(labelled(10, (i) => `hen ${i}, brown`, mood)), refuses(/quote/i), asks(/quote/i)],
    },
    {
      name: 'inches and feet',
      file: 'a.csv',
      content: lines('text,label', ...times(10, (i) => `A ${i}" egg of 2' 3",${mood(i)}`)),
      ends: gives(labelled(10, (i) => `A ${i}" egg of 2' 3"`, mood)),
    },
    {
      name: 'doubled quotes, as the standard has them',
      file: 'a.csv',
      content: lines('text,label', ...times(10, (i) => `"Hen ${i} said ""cluck"", and left",${mood(i)}`)),
      ends: gives(labelled(10, (i) => `Hen ${i} said "cluck", and left`, mood)),
    },
  ]);
});

describe('around the rows', () => {
  check([
    {
      name: 'a sep= line',
      file: 'a.csv',
      content: lines('sep=;', 'question;answer', ...rows((i) => `${ask(i)};${tell(i)}`)),
      ends: gives(eight),
    },
    {
      name: 'a sep= line with a tab',
      file: 'a.csv',
      content: lines('sep=\t', 'question\tanswer', ...rows((i) => `${ask(i)}\t${tell(i)}`)),
      ends: gives(eight),
    },
    {
      name: 'titles above the header',
      file: 'a.csv',
      content: lines('Hen house of 2024,,', ',,', 'id,question,answer', ...rows((i) => `${i},${ask(i)},${tell(i)}`)),
      ends: [gives(eight), refuses(/header|title|line 3/i)],
    },
    {
      name: 'a title of one cell above the header',
      file: 'a.csv',
      content: lines('Hen house', 'question,answer', ...rows((i) => `${ask(i)},${tell(i)}`)),
      ends: [gives(eight), refuses(/header|title|line/i)],
    },
    {
      name: 'a total below the rows',
      file: 'a.csv',
      content: lines('id,question,answer', ...rows((i) => `${i},${ask(i)},${tell(i)}`), 'Total,,'),
      ends: gives(eight, /“Total”.*left out/),
    },
    {
      name: 'one column with commas in its lines',
      file: 'a.csv',
      content: lines('text', ...rows((i) => (i % 2 ? `Well, hen ${i} clucks, I think` : `Hen ${i} clucks`))),
      ends: gives(
        rows((i) => (i % 2 ? `Well, hen ${i} clucks, I think` : `Hen ${i} clucks`)).map((x) => [['x', x]] as const),
      ),
    },
    {
      name: 'pipes between cells',
      file: 'a.csv',
      content: lines('question|answer', ...rows((i) => `${ask(i)}|${tell(i)}`)),
      ends: gives(eight),
    },
    {
      name: 'rows with one cell too many are counted',
      file: 'a.csv',
      content: lines(
        'question,answer',
        ...rows((i) => (i === 2 ? `${ask(i)},${tell(i)},extra` : `${ask(i)},${tell(i)}`)),
      ),
      ends: [
        gives(eight, /extra|cell/),
        gives(
          eight.filter((_, i) => i !== 2),
          /[Rr]ow 3|[Ll]ine 4/,
        ),
      ],
    },
    {
      name: 'all rows ragged: the sentence is about cells, not about columns to map',
      file: 'a.csv',
      content: lines('question,answer', ...rows((i) => `${ask(i)},"${tell(i)}",${i},x,${i}`)),
      ends: refuses(/cells|values|columns (than|in)/),
    },
  ]);
});

describe('headers', () => {
  const headers: [string, string][] = [
    ['Questions', 'Answers'],
    ['Frage', 'Antwort'],
    ['Pregunta', 'Respuesta'],
    ['Kysymys', 'Vastaus'],
    ['Вопрос', 'Ответ'],
    ['问题', '回答'],
    ['質問', '回答'],
    ['Prompts', 'Completions'],
    ['Instructions', 'Outputs'],
    ['What do people ask?', 'What do we answer?'],
  ];
  check(
    headers.map(([question, answer]) => ({
      name: `${question}, ${answer}`,
      file: 'a.csv',
      content: lines(`${question},${answer}`, ...rows((i) => `${ask(i)},${tell(i)}`)),
      ends: [gives(eight), asks(/column|header/i, eight)],
    })),
  );
  check([
    {
      name: 'questions of a form as headers',
      file: 'form.csv',
      content: lines(
        'Timestamp,"How was the egg? Please rate it from 1 to 5.","Tell us more."',
        ...times(9, (i) => `2024/02/0${i + 1} 09:30:00,${(i % 5) + 1},"It was boiled well, number ${i}"`),
      ),
      ends: [
        gives(
          labelled(
            9,
            (i) => `It was boiled well, number ${i}`,
            (i) => `${(i % 5) + 1}`,
          ),
        ),
        asks(/Tell us more|How was/),
        refuses(/Tell us more|How was/),
        gives(
          times(9, (i) => [['x', `It was boiled well, number ${i}`]] as const),
          /How was/,
        ),
      ],
    },
    {
      name: 'no header at all: the first row is data',
      file: 'a.csv',
      content: lines(...times(12, (i) => `"hen ${i} is asleep now",${mood(i)}`)),
      ends: gives(labelled(12, (i) => `hen ${i} is asleep now`, mood)),
    },
  ]);
});
