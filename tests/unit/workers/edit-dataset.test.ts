import { describe, expect, it } from 'vitest';
import { parseDataset } from '../../../src/data/parse';
import { editRow } from '../../../src/workers/data/edit-dataset';

const auto = { format: 'auto', columns: null } as const;
const bytes = (text: string) => new TextEncoder().encode(text).buffer;

function edit(name: string, text: string, row: number, fields: Record<string, string>) {
  const result = editRow(name, bytes(text), auto, row, fields);
  return { text: new TextDecoder().decode(result), ...parseDataset(name, new Uint8Array(result), auto) };
}

describe('editRow', () => {
  it('changes one line of a JSONL file and leaves the others byte for byte', () => {
    const file =
      '{"prompt": "a?", "completion": "b", "id": 1}\n\nbroken\n{"prompt": "c?", "completion": "d", "id": 2}\n';
    const { text, examples } = edit('x.jsonl', file, 4, { completion: 'e' });
    expect(text.split('\n').slice(0, 3)).toEqual(file.split('\n').slice(0, 3));
    expect(examples).toMatchObject([
      { row: 1, completion: 'b' },
      { row: 4, completion: 'e' },
    ]);
    expect(text).toContain('"id":2');
  });

  it('keeps a conversation as a list', () => {
    const file = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n';
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Ahoy' },
    ];
    const { text } = edit('x.jsonl', file, 1, { messages: JSON.stringify(messages) });
    expect(JSON.parse(text)).toEqual({ messages });
  });

  it('finds the row of a JSON file wherever the list is', () => {
    const rows = [
      { prompt: 'a?', completion: 'b' },
      { prompt: 'c?', completion: 'd' },
    ];
    const inside = edit('x.json', JSON.stringify({ version: 2, data: rows }), 2, { prompt: 'z?' });
    expect(JSON.parse(inside.text)).toEqual({ version: 2, data: [rows[0], { prompt: 'z?', completion: 'd' }] });
    const array = edit('x.json', JSON.stringify(rows), 1, { prompt: 'z?' });
    expect(array.examples[0]).toMatchObject({ prompt: 'z?', completion: 'b' });
  });

  it('refuses rows of a JSON file that stores columns', () => {
    const file = JSON.stringify({ prompt: ['a?', 'c?'], completion: ['b', 'd'] });
    expect(() => edit('x.json', file, 1, { prompt: 'z?' })).toThrow('cannot be edited here');
  });

  it('quotes CSV cells and keeps the other columns', () => {
    const { text, examples } = edit('x.csv', 'id;prompt;completion\n1;"a; b?";c\n2;d?;e\n', 1, {
      completion: 'f, "g"\nh',
    });
    expect(examples[0]).toMatchObject({ prompt: 'a; b?', completion: 'f, "g"\nh' });
    expect(text.split('\n')[0]).toBe('id,prompt,completion');
    const tabs = edit('x.tsv', 'prompt\tcompletion\na?\tb\n', 1, { completion: 'c' });
    expect(tabs.text).toBe('prompt\tcompletion\na?\tc\n');
  });

  it('refuses to edit a CSV file with broken rows, which would be lost', () => {
    const file = 'prompt,completion\na?,b\nc?,d,e,f\n';
    expect(() => edit('x.csv', file, 1, { completion: 'z' })).toThrow('would be lost');
  });

  it('rewrites a passage of a text file', () => {
    const { examples } = edit('x.txt', 'One sentence here.\n\nAnother sentence.\n', 2, { text: 'A new one.' });
    expect(examples).toMatchObject([{ text: 'One sentence here.' }, { text: 'A new one.' }]);
  });

  it('refuses a change that makes the row unusable, and a row that does not exist', () => {
    const file = 'prompt,completion\na?,b\nc?,d\n';
    expect(() => edit('x.csv', file, 1, { completion: '' })).toThrow('make the row unusable');
    expect(() => edit('x.csv', file, 9, { completion: 'z' })).toThrow('cannot be edited here');
  });

  it('treats __proto__ as an ordinary column name', () => {
    const { text } = edit('x.jsonl', '{"prompt": "a?", "completion": "b"}\n', 1, JSON.parse('{"__proto__": "x"}'));
    expect(text).toContain('"__proto__":"x"');
  });
});
