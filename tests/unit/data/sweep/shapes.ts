/** The shapes of datasets that the sweep writes, each with what a person who knows it would say is asked and answered. */
import type { Turn } from '../cases/harness';
import { bare, type Cells, document, jsonLines, python, type TableOptions, table } from './writers';

export interface Row {
  cells: Cells;
  turns: Turn[];
}
export interface Shape {
  name: string;
  file: string;
  /** Columns whose texts are in the examples; the others of `row` are not. */
  used: string[];
  /** The one without which a row is no example. */
  needed: string | null;
  row(i: number, say: () => string): Row;
  /** The file in pieces that line ends go between. A row may be several, or share them. */
  write(rows: Cells[]): string[];
  /** The piece that `row` stands in, for damage to it; null where a piece is no row. */
  pieceOf: ((row: number) => number) | null;
  /** Rows are messages, not examples. */
  perMessage?: true;
}

const qa = (prompt: Turn[1], answer: Turn[1]): Turn[] => [
  ['u', prompt],
  ['a', answer],
];
/** A prompt with a better and a worse answer. */
const ranked = (prompt: Turn[1], better: Turn[1], worse: Turn[1]): Turn[] => [
  ['u', prompt],
  ['+a', better],
  ['~a', worse],
];
const labelled = (text: Turn[1], label: string): Turn[] => [
  ['c', text],
  ['l', label],
];
const kind = (i: number) => ['calm', 'loud', 'odd'][i % 3]!;
const chat = (q: string, a: string) => [
  { role: 'user', content: q },
  { role: 'assistant', content: a },
];

type Given = Partial<Shape> & Pick<Shape, 'row' | 'used' | 'needed'>;
const csv = (name: string, given: Given, options: TableOptions = {}): Shape => ({
  name: `csv: ${name}`,
  file: 'data.csv',
  write: table(options),
  pieceOf: (row) => row + (options.above?.length ?? 0) + (options.header === false ? 0 : 1),
  ...given,
});
const jsonl = (name: string, given: Given): Shape => ({
  name: `jsonl: ${name}`,
  file: 'data.jsonl',
  write: jsonLines,
  pieceOf: (row) => row,
  ...given,
});
const json = (name: string, make: (rows: Cells[]) => unknown, given: Given): Shape => ({
  name: `json: ${name}`,
  file: 'data.json',
  write: document(make),
  pieceOf: null,
  ...given,
});

/** A prompt and an answer under two names. */
const pair = (prompt: string, answer: string): Given => ({
  used: [prompt, answer],
  needed: answer,
  row: (_, say) => {
    const [q, a] = [say(), say()];
    return { cells: { [prompt]: q, [answer]: a }, turns: qa(q, a) };
  },
});
const withLabel = (text: string, label: string): Given => ({
  used: [text, label],
  needed: text,
  row: (i, say) => {
    const words = say();
    return { cells: { [text]: words, [label]: kind(i) }, turns: labelled(words, kind(i)) };
  },
});
const conversation = (column: string, turns: (q: string, a: string) => unknown): Given => ({
  used: [column],
  needed: column,
  row: (_, say) => {
    const [q, a] = [say(), say()];
    return { cells: { [column]: turns(q, a) }, turns: qa(q, a) };
  },
});
const informed = (context: string, prompt: string, answer: string): Given => ({
  used: [context, prompt, answer],
  needed: answer,
  row: (_, say) => {
    const [note, q, a] = [say(), say(), say()];
    return { cells: { [prompt]: q, [context]: note, [answer]: a }, turns: qa([q, note], a) };
  },
});
const alpaca: Given = {
  used: ['instruction', 'input', 'output'],
  needed: 'output',
  row: (i, say) => {
    const [task, input, output] = [say(), i % 3 ? say() : '', say()];
    return { cells: { instruction: task, input, output }, turns: qa(input ? [task, input] : task, output) };
  },
};
const words = (i: number, say: () => string) => {
  const text = say()
    .replace(/[.,，。]/g, ' ')
    .trim();
  const list = text.includes(' ') ? text.split(/\s+/) : [...text];
  return { list, tags: list.map((_, k) => (k === i % list.length ? 'B-LOC' : 'O')) };
};
const bits = (i: number) => ({ calm: i % 2, loud: (i >> 1) & 1, odd: (i >> 2) & 1 });

export const shapes: Shape[] = [
  csv('prompt, completion', pair('prompt', 'completion')),
  csv('question, answer', pair('question', 'answer')),
  csv('semicolons', pair('Frage', 'Antwort'), { mark: ';' }),
  csv('plural headers', pair('Questions', 'Answers')),
  csv('alpaca', alpaca),
  csv('a system prompt', {
    used: ['system', 'prompt', 'completion'],
    needed: 'completion',
    row: (_, say) => {
      const [s, q, a] = [say(), say(), say()];
      return { cells: { system: s, prompt: q, completion: a }, turns: [['s', s], ...qa(q, a)] };
    },
  }),
  csv('text, label', withLabel('text', 'label')),
  csv('no header', withLabel('column_1', 'column_2'), { header: false }),
  csv(
    'a title above',
    { ...pair('question', 'answer'), row: (i, say) => withId(pair('question', 'answer'), i, say) },
    { above: ['Export of May,,'] },
  ),
  csv('sep=;', pair('question', 'answer'), { mark: ';', above: ['sep=;'] }),
  csv('an id', { ...pair('question', 'answer'), row: (i, say) => withId(pair('question', 'answer'), i, say) }),
  csv('text, summary', pair('text', 'summary')),
  csv('premise, hypothesis, label', {
    used: ['premise', 'hypothesis', 'label'],
    needed: 'label',
    row: (i, say) => {
      const [a, b] = [say(), say()];
      return { cells: { premise: a, hypothesis: b, label: kind(i) }, turns: labelled([a, b], kind(i)) };
    },
  }),
  csv('question, context, answer', informed('context', 'question', 'answer')),
  csv('messages in JSON', conversation('messages', chat)),
  csv(
    'messages printed by Python',
    conversation('messages', (q, a) => python(chat(q, a))),
  ),
  csv('one column of text', {
    used: ['text'],
    needed: 'text',
    row: (_, say) => {
      const text = say();
      return { cells: { text }, turns: [['x', text]] };
    },
    // Not quoted, whatever is in it, as long as it is the only one.
    write: (rows) =>
      Object.keys(rows[0]!).length > 1 ? table()(rows) : ['text', ...rows.map(({ text }) => String(text))],
  }),
  csv('one message a row', {
    used: ['role', 'content'],
    needed: null,
    row: (i, say) => {
      const [q, a] = [say(), say()];
      return { cells: { conversation_id: `c${i}`, q, a }, turns: qa(q, a) };
    },
    write: (rows) =>
      table()(
        rows.flatMap(({ conversation_id, q, a, ...more }) => [
          { conversation_id, role: 'user', content: q, ...more },
          { conversation_id, role: 'assistant', content: a, ...more },
        ]),
      ),
    pieceOf: (row) => 1 + 2 * row,
    perMessage: true,
  }),
  csv('a column of 0 and 1 for each label', {
    used: ['text', 'calm', 'loud', 'odd'],
    needed: 'text',
    row: (i, say) => {
      const text = say();
      const on = Object.entries(bits(i)).flatMap(([name, bit]) => (bit ? [name] : []));
      return { cells: { text, ...bits(i) }, turns: labelled(text, on.join(' + ')) };
    },
  }),
  csv('a list of labels printed by Python', {
    used: ['text', 'labels'],
    needed: 'text',
    row: (i, say) => {
      const text = say();
      const list = i % 2 ? [kind(i)] : [kind(i), kind(i + 1)];
      return { cells: { text, labels: python(list) }, turns: labelled(text, list.join(' + ')) };
    },
  }),
  csv('choices in columns', {
    used: ['question', 'A', 'B', 'C', 'D', 'answer'],
    needed: 'answer',
    row: (_, say) => {
      const [q, A, B, C, D] = [say(), say(), say(), say(), say()];
      return { cells: { question: q, A, B, C, D, answer: 'A' }, turns: qa([q, A, B, C, D], ['A']) };
    },
  }),
  csv('worse before better', {
    used: ['prompt', 'chosen', 'rejected'],
    needed: 'chosen',
    row: (_, say) => {
      const [q, worse, a] = [say(), say(), say()];
      return { cells: { prompt: q, rejected: worse, chosen: a }, turns: ranked(q, a, worse) };
    },
  }),
  csv('one-word names that say nothing', { ...pair('left', 'right') }),
  { ...csv('TSV', pair('prompt', 'completion')), name: 'tsv: prompt, completion', file: 'data.tsv', write: bare(true) },
  {
    ...csv('TSV with quotes', withLabel('sentence', 'label')),
    name: 'tsv: quotes in the text',
    file: 'data.tsv',
    write: bare(true),
    row: quoting,
  },
  {
    ...csv('', withLabel('column_2', 'column_1')),
    name: 'txt: label, tab, text',
    file: 'data.txt',
    write: bare(false),
    pieceOf: (row) => row,
    row: labelFirst,
  },
  jsonl('prompt, completion', pair('prompt', 'completion')),
  jsonl('messages', conversation('messages', chat)),
  jsonl(
    'ShareGPT',
    conversation('conversations', (q, a) => [
      { from: 'human', value: q },
      { from: 'gpt', value: a },
    ]),
  ),
  jsonl(
    'content in parts',
    conversation('messages', (q, a) =>
      chat(q, a).map(({ role, content }) => ({ role, content: [{ type: 'text', text: content }] })),
    ),
  ),
  jsonl('thoughts', {
    ...conversation('messages', chat),
    row: (_, say) => {
      const [q, thoughts, a] = [say(), say(), say()];
      const [asked, answered] = chat(q, a);
      return {
        cells: { messages: [asked, { ...answered, reasoning_content: thoughts }] },
        turns: [
          ['u', q],
          ['th', thoughts],
          ['a', a],
        ],
      };
    },
  }),
  jsonl('instruction, output', pair('instruction', 'output')),
  jsonl('query, context, response', informed('context', 'query', 'response')),
  jsonl('chosen and rejected conversations', {
    used: ['chosen', 'rejected'],
    needed: 'chosen',
    row: (_, say) => {
      const [q, a, worse] = [say(), say(), say()];
      return { cells: { chosen: chat(q, a), rejected: chat(q, worse) }, turns: ranked(q, a, worse) };
    },
  }),
  jsonl('text, label', withLabel('text', 'label')),
  jsonl('text', {
    used: ['text'],
    needed: 'text',
    row: (_, say) => {
      const text = `${say()}\n${say()}`;
      return { cells: { text }, turns: [['x', text]] };
    },
  }),
  jsonl('words, tags', {
    used: ['tokens', 'ner_tags'],
    needed: 'tokens',
    row: (i, say) => {
      const { list, tags } = words(i, say);
      return {
        cells: { tokens: list, ner_tags: tags },
        turns: [
          ['w', list.join(' ')],
          ['g', tags.join(' ')],
        ],
      };
    },
  }),
  jsonl('question and answer inside an object', {
    used: ['data'],
    needed: null,
    row: (_, say) => {
      const [q, a] = [say(), say()];
      return { cells: { data: { question: q, answer: a } }, turns: qa(q, a) };
    },
  }),
  jsonl('objects over several lines', {
    ...pair('prompt', 'completion'),
    write: (rows) => rows.flatMap((row) => JSON.stringify(row, null, 2).split('\n')),
    pieceOf: null,
  }),
  json('alpaca', (rows) => rows, alpaca),
  json('train and test', (rows) => ({ train: rows.slice(0, 9), test: rows.slice(9) }), pair('prompt', 'completion')),
  json(
    'pandas split',
    (rows) => ({
      columns: Object.keys(rows[0]!),
      index: rows.map((_, i) => i),
      data: rows.map((row) => Object.values(row)),
    }),
    withLabel('text', 'label'),
  ),
  json('question to answer', (rows) => Object.fromEntries(rows.map((row) => Object.values(row).slice(0, 2))), {
    ...pair('prompt', 'completion'),
    used: [],
  }),
  {
    name: 'txt: paragraphs',
    file: 'data.txt',
    used: [],
    needed: null,
    row: (_, say) => {
      const text = `${say()}\n${say()}`;
      return { cells: { text }, turns: [['x', text]] };
    },
    write: (rows) => rows.flatMap(({ text }) => [...String(text).split('\n'), '']),
    pieceOf: (row) => row * 3,
  },
  {
    name: 'txt: CoNLL',
    file: 'data.conll',
    used: [],
    needed: null,
    row: (i, say) => {
      const { list, tags } = words(i, say);
      return {
        cells: { list, tags },
        turns: [
          ['w', list.join(' ')],
          ['g', tags.join(' ')],
        ],
      };
    },
    write: (rows) =>
      rows.flatMap(({ list, tags }) => [
        ...(list as string[]).map((word, k) => `${word} ${(tags as string[])[k]}`),
        '',
      ]),
    pieceOf: null,
  },
];

function withId(given: Given, i: number, say: () => string): Row {
  const { cells, turns } = given.row(i, say);
  return { cells: { id: i + 100, ...cells }, turns };
}
function quoting(i: number, say: () => string): Row {
  const text = i % 4 === 1 ? `"${say()}` : i % 4 === 2 ? `${say()} 12" "so"` : say();
  return { cells: { sentence: text, label: kind(i) }, turns: labelled(text, kind(i)) };
}
function labelFirst(i: number, say: () => string): Row {
  const text = say();
  return { cells: { column_1: kind(i), column_2: text }, turns: labelled(text, kind(i)) };
}
