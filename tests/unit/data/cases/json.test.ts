/** JSON in the shapes that libraries, exports and people write. */
import { describe } from 'vitest';
import { asks, check, gives, jsonLines, lines, pairs, refuses, times } from './harness';

const ask = (i: number) => `What does clock ${i} show?`;
const tell = (i: number) => `A quarter past ${i}.`;
const eight = pairs(8, ask, tell);
const rows = (make: (i: number) => unknown) => jsonLines(times(8, make));
const json = (value: unknown) => JSON.stringify(value);
const pair = (i: number) => ({ prompt: ask(i), completion: tell(i) });
const films = times(
  8,
  (i) =>
    [
      ['c', `film ${i} was long`],
      ['l', ['good', 'dull'][i % 2]!],
    ] as const,
);
const film = (i: number) => ({ text: `film ${i} was long`, label: ['good', 'dull'][i % 2] });

describe('lists in one document', () => {
  const halves = (a: string, b: string) => json({ [a]: times(8, pair).slice(0, 5), [b]: times(8, pair).slice(5) });
  check([
    ...[
      ['train', 'test'],
      ['train', 'validation'],
      ['morning', 'evening'],
    ].map(([a, b]) => ({
      name: `two lists, ${a} and ${b}`,
      file: 'a.json',
      content: halves(a!, b!),
      ends: [gives(eight), asks(new RegExp(`${a}.*${b}|${b}.*${a}`)), gives(eight.slice(0, 5), new RegExp(b!))],
    })),
    {
      name: 'a list a topic',
      file: 'a.json',
      content: json({ a: times(8, pair).slice(0, 3), b: times(8, pair).slice(3, 6), c: times(8, pair).slice(6) }),
      ends: [gives(eight), asks(/\bb\b/), gives(eight.slice(0, 3), /“b”/)],
    },
    {
      name: 'lists of different shapes are asked about',
      file: 'a.json',
      content: json({ people: times(3, (i) => ({ name: `Ann ${i}`, born: 1900 + i })), talks: times(8, pair) }),
      ends: [asks(/talks/, eight), gives(eight, /people/), refuses(/people/)],
    },
    {
      name: 'a list under a name, beside a version',
      file: 'a.json',
      content: json({ version: 1, dataset: times(8, pair) }),
      ends: gives(eight),
    },
    {
      name: 'a list two objects deep',
      file: 'a.json',
      content: json({ meta: { by: 'me' }, content: { items: times(8, pair) } }),
      ends: [gives(eight), refuses(/content|items/), asks(/items/, eight)],
    },
    {
      name: 'question → answer',
      file: 'a.json',
      content: json(Object.fromEntries(times(8, (i) => [ask(i), tell(i)]))),
      ends: [gives(eight), refuses(/What does clock|keys/)],
    },
    {
      name: 'the datasets server: features and rows',
      file: 'rows.json',
      content: json({
        features: [{ feature_idx: 0, name: 'text', type: { dtype: 'string', _type: 'Value' } }],
        rows: times(8, (i) => ({ row_idx: i, row: film(i), truncated_cells: [] })),
      }),
      ends: gives(films),
    },
    {
      name: 'the datasets server: truncated cells are said',
      file: 'rows.json',
      content: json({
        rows: times(8, (i) => ({ row_idx: i, row: film(i), truncated_cells: i === 2 ? ['text'] : [] })),
      }),
      ends: [
        gives(films, /truncated/),
        gives(
          films.filter((_, i) => i !== 2),
          /truncated/,
        ),
        refuses(/truncated/),
      ],
    },
  ]);
});

describe('orients of pandas', () => {
  const columns = (i: number) => [`film ${i} was long`, ['good', 'dull'][i % 2]];
  check([
    {
      name: 'split',
      file: 'a.json',
      content: json({ columns: ['text', 'label'], index: times(8, (i) => i), data: times(8, columns) }),
      ends: gives(films),
    },
    {
      name: 'index',
      file: 'a.json',
      content: json(Object.fromEntries(times(8, (i) => [`${i}`, film(i)]))),
      ends: gives(films),
    },
    {
      name: 'columns',
      file: 'a.json',
      content: json({
        text: Object.fromEntries(times(8, (i) => [`${i}`, columns(i)[0]])),
        label: Object.fromEntries(times(8, (i) => [`${i}`, columns(i)[1]])),
      }),
      ends: gives(films),
    },
    {
      name: 'table',
      file: 'a.json',
      content: json({
        schema: { fields: [{ name: 'text', type: 'string' }] },
        data: times(8, (i) => ({ index: i, ...film(i) })),
      }),
      ends: gives(films),
    },
    {
      name: 'lists by column',
      file: 'a.json',
      content: json({ text: times(8, (i) => columns(i)[0]), label: times(8, (i) => columns(i)[1]) }),
      ends: gives(films),
    },
    {
      name: 'values: rows without names',
      file: 'a.json',
      content: json(times(12, (i) => [ask(i), tell(i)])),
      ends: [gives(pairs(12, ask, tell)), refuses(/list/), asks(/column|list/, pairs(12, ask, tell))],
    },
  ]);
});

describe('one object after another', () => {
  check([
    {
      name: 'pretty-printed',
      file: 'a.jsonl',
      content: times(8, (i) => JSON.stringify(pair(i), null, 2)).join('\n'),
      ends: [gives(eight), refuses(/one object (a|per) line/)],
    },
    {
      name: 'pretty-printed with commas between',
      file: 'a.jsonl',
      content: times(8, (i) => JSON.stringify(pair(i), null, 2)).join(',\n'),
      ends: [gives(eight), refuses(/one object (a|per) line/)],
    },
    {
      name: 'side by side without line ends',
      file: 'a.jsonl',
      content: times(8, (i) => json(pair(i))).join(''),
      ends: [gives(eight), refuses(/one object (a|per) line/)],
    },
    { name: 'JSON Lines in a file called .json', file: 'a.json', content: rows(pair), ends: gives(eight) },
    {
      name: 'an array with one element a line, in a file called .jsonl',
      file: 'a.jsonl',
      content: `[\n${times(8, (i) => json(pair(i))).join(',\n')}\n]\n`,
      ends: gives(eight),
    },
    {
      name: 'each line a string of JSON',
      file: 'a.jsonl',
      content: rows((i) => json(pair(i))),
      ends: [gives(eight), refuses(/string/)],
    },
    {
      name: 'JSON in the one column of a CSV file',
      file: 'a.csv',
      content: lines('data', ...times(8, (i) => `"${json(pair(i)).replaceAll('"', '""')}"`)),
      ends: [gives(eight), refuses(/data|JSON/), asks(/data|JSON/)],
    },
    {
      name: 'pairs in lists',
      file: 'a.jsonl',
      content: rows((i) => [ask(i), tell(i)]),
      ends: [gives(eight), refuses(/list/), asks(/list/, eight)],
    },
    {
      name: 'curly quotes',
      file: 'a.json',
      content: times(8, (i) => `{“prompt”: “${ask(i)}”, “completion”: “${tell(i)}”}`)
        .join(',\n')
        .replace(/^/, '[')
        .concat(']'),
      ends: [gives(eight), refuses(/curly|quotes|“/)],
    },
    {
      name: 'a raw line break in a string',
      file: 'a.jsonl',
      content: times(8, (i) => `{"prompt": "${ask(i)}", "completion": "A quarter\npast ${i}."}`).join('\n'),
      ends: [gives(pairs(8, ask, (i) => `A quarter\npast ${i}.`)), refuses(/line break|line end/i)],
    },
    {
      name: 'a line that breaks off is one row, counted',
      file: 'a.jsonl',
      content: times(8, (i) => (i === 4 ? json(pair(i)).slice(0, 30) : json(pair(i)))).join('\n'),
      ends: gives(
        eight.filter((_, i) => i !== 4),
        /[Ll]ine 5|[Rr]ow 5/,
      ),
    },
    {
      name: 'Python objects a line',
      file: 'a.jsonl',
      content: times(8, (i) => `{'prompt': '${ask(i)}', 'completion': '${tell(i)}'}`).join('\n'),
      ends: [gives(eight), refuses(/single quotes|Python/)],
    },
    {
      name: 'trailing commas and comments',
      file: 'a.json',
      content: `[\n// clocks\n${times(8, (i) => `{"prompt": "${ask(i)}", "completion": "${tell(i)}",}`).join(',\n')},\n]`,
      ends: [gives(eight), refuses(/comma|comment/)],
    },
  ]);
});
