/** Mutated datasets. */
import { createDataApi } from '../../../src/workers/data/service';
import { changeBytes, changeJson, changeLines, changeTable } from '../../fuzz/mutate';
import type { Draw } from '../../fuzz/random';
import { fuzz } from '../../fuzz/target';

const utf8 = (text: string) => new TextEncoder().encode(text);
const api = createDataApi();

const messages = (n: number) => [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: `What is ${n}?` },
  { role: 'assistant', content: `It is ${n}.` },
];
const rows = Array.from({ length: 6 }, (_, n) => n);

const json = [
  rows.map((n) => ({ messages: messages(n) })),
  rows.map((n) => ({ instruction: `Say ${n}`, input: n % 2 ? 'now' : '', output: `${n}` })),
  rows.map((n) => ({
    conversations: [
      { from: 'human', value: `${n}?` },
      { from: 'gpt', value: `${n}!` },
    ],
  })),
  { data: rows.map((n) => ({ prompt: `${n} +`, completion: ` ${n}` })) },
  { text: rows.map((n) => `Sentence ${n}.`), label: rows.map((n) => n % 2) },
  { text: { 0: 'One.', 1: 'Two.' }, label: { 0: 'a', 1: 'b' } },
  rows.map((n) => ({ tokens: ['Anna', 'lives', 'in', 'Rome'], ner_tags: ['B-PER', 'O', 'O', n % 2 ? 'B-LOC' : 'O'] })),
  { rows: rows.map((n) => ({ row_idx: n, row: { question: `Q${n}`, answer: `A${n}` } })) },
].map((value) => utf8(JSON.stringify(value)));

const lines = [
  rows.map((n) => ({ messages: messages(n), tools: null, weight: 1 })),
  rows.map((n) => ({ text: `Text ${n}`, labels: ['a', n % 2 ? 'b' : 'c'] })),
  rows.map((n) => ({ prompt: `P${n}`, response: `R${n}`, score: n / 2 })),
  rows.map((n) => [
    { role: 'user', content: [{ type: 'text', text: `${n}` }] },
    { role: 'assistant', content: 'ok' },
  ]),
].map((list) => utf8(`${list.map((row) => JSON.stringify(row)).join('\n')}\n`));

const csv = [
  'text,label\nGood film,positive\nBad film,negative\n"Long, and ""quoted""\nover lines",positive\n',
  'question;answer\nWhat?;That.\nWho?;Her.\n',
  'messages,id\n"[{""role"":""user"",""content"":""Hi""},{""role"":""assistant"",""content"":""Yo""}]",1\n',
  "tokens,tags\n\"['a', 'b']\",\"['O', 'B-X']\"\n",
].map(utf8);
const tsv = ['text\tlabel\nOne\t1\nTwo\t0\n', 'prompt\tcompletion\nA "b\tC\nD\tE\n'].map(utf8);
const text = [
  'First paragraph\nof two lines.\n\nSecond one.\n\n\nThird.\n',
  '# Title\n\nText with `code`.\n\n```python\nx = 1\n\ny = 2\n```\n',
  'One line.\nAnother line, with “quotes”.\n',
].map(utf8);
const conll = [
  'Anna B-PER\nlives O\nin O\nRome B-LOC\n\nBob B-PER\nsleeps O\n',
  '-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n',
].map(utf8);

const read = (name: string) => async (bytes: Uint8Array) => {
  const parsed = await api.parse(name, bytes.slice().buffer, { format: 'auto', columns: null });
  // What reaches the page is copied there.
  structuredClone(parsed);
};
const target = (
  name: string,
  file: string,
  seeds: Uint8Array[],
  change: (seed: Uint8Array, draw: Draw) => Uint8Array,
) => fuzz({ name, seeds, change, run: read(file) });

target('JSON datasets', 'data.json', json, changeJson);
target('JSON Lines datasets', 'data.jsonl', lines, changeLines);
target('CSV datasets', 'data.csv', csv, changeTable);
target('TSV datasets', 'data.tsv', tsv, changeTable);
fuzz({
  name: 'text datasets',
  seeds: [...text, ...json.slice(0, 1)],
  takesAll: true,
  change: changeBytes,
  run: read('data.txt'),
});
target('CoNLL datasets', 'data.conll', conll, changeTable);
