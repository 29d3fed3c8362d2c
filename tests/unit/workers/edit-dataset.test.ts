import { describe, expect, it } from 'vitest';
import type { DatasetEdit } from '../../../src/data/edits';
import { parseDataset } from '../../../src/data/parse';
import { editDataset } from '../../../src/workers/data/edit-dataset';

const auto = { format: 'auto', columns: null } as const;
const bytes = (text: string) => new TextEncoder().encode(text).buffer;

function edit(name: string, text: string, row: number, fields: Record<string, string>) {
  const result = editDataset(name, bytes(text), auto, { kind: 'cells', row, fields });
  return { text: new TextDecoder().decode(result), ...parseDataset(name, new Uint8Array(result), auto) };
}

describe('cells', () => {
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

describe('many rows at once', () => {
  const change = (name: string, text: string, made: DatasetEdit) => {
    const result = editDataset(name, bytes(text), auto, made);
    return { text: new TextDecoder().decode(result), ...parseDataset(name, new Uint8Array(result), auto) };
  };
  const remove = (name: string, text: string, ...rows: number[]) => change(name, text, { kind: 'remove', rows });

  it('takes lines out of a JSONL file, those that cannot be read too, and leaves the others byte for byte', () => {
    const lines = ['{"prompt": "a?", "completion": "b"}', 'broken', '{"prompt":"c?","completion":"d"}'];
    expect(remove('x.jsonl', lines.join('\n'), 2).text).toBe(`${lines[0]}\n${lines[2]}\n`);
    expect(remove('x.jsonl', lines.join('\n'), 1).examples).toMatchObject([{ row: 2, prompt: 'c?' }]);
  });

  it('takes elements out of a JSON file wherever the list is', () => {
    const rows = ['a?', 'c?', 'e?'].map((prompt) => ({ prompt, completion: 'b' }));
    const inside = remove('x.json', JSON.stringify({ version: 2, data: rows }), 1, 3);
    expect(JSON.parse(inside.text)).toEqual({ version: 2, data: [rows[1]] });
    expect(JSON.parse(remove('x.json', JSON.stringify(rows), 2).text)).toEqual([rows[0], rows[2]]);
    const columns = JSON.stringify({ prompt: ['a?', 'c?'], completion: ['b', 'd'] });
    expect(() => remove('x.json', columns, 1)).toThrow('cannot be edited here');
  });

  it('takes rows out of a CSV file, and with them those that would have been lost', () => {
    const file = 'prompt,completion\na?,b\nc?,d,e,f\ng?,h\n';
    expect(() => remove('x.csv', file, 1)).toThrow('would be lost');
    expect(remove('x.csv', file, 2).text).toBe('prompt,completion\na?,b\ng?,h\n');
  });

  it('takes passages out of a text', () => {
    const { examples } = remove('x.txt', 'One sentence here.\n\nAnother sentence.\n\nA third one.\n', 2);
    expect(examples).toMatchObject([{ text: 'One sentence here.' }, { text: 'A third one.' }]);
  });

  it('refuses to take out everything, a row that does not exist, and one message of a conversation', () => {
    const file = 'prompt,completion\na?,b\n';
    expect(() => remove('x.csv', file, 1)).toThrow('make the file unusable');
    expect(() => remove('x.csv', file, 9)).toThrow('cannot be edited here');
    const log = ['id,role,content', '1,user,Hi', '1,assistant,Hello', '2,user,Hm', '2,assistant,Yes'].join('\n');
    const read = { ...auto, columns: { role: 'role', content: 'content', conversation: 'id' } };
    expect(() => editDataset('x.csv', bytes(log), read, { kind: 'remove', rows: [1] })).toThrow(
      'cannot be edited here',
    );
  });

  it('takes the spaces off the texts that are used, in conversations too', () => {
    const { text } = change('x.csv', 'prompt,completion,id\n" a? ",b,  1\nc?,"d\n",2\n', { kind: 'trim' });
    expect(text).toBe('prompt,completion,id\na?,b,"  1"\nc?,d,2\n');
    const turns = (...texts: string[]) => ({
      messages: texts.map((content, i) => ({ role: i % 2 ? 'assistant' : 'user', content })),
    });
    const chat = `${JSON.stringify(turns(' Hi', 'Hello '))}\n${JSON.stringify(turns('Hm', 'Yes'), null, 0)}\n`;
    const trimmed = change('x.jsonl', chat, { kind: 'trim' });
    expect(trimmed.text.split('\n').slice(0, 2)).toEqual(
      [turns('Hi', 'Hello'), turns('Hm', 'Yes')].map((t) => JSON.stringify(t)),
    );
  });

  it('writes HTML entities as characters, each once', () => {
    const { examples } = change('x.csv', 'prompt,completion\na &amp;amp; b,&#8364;5 &lt; &#x20AC;6 &#xD800;\n', {
      kind: 'entities',
    });
    expect(examples).toMatchObject([{ prompt: 'a &amp; b', completion: '€5 < €6 &#xD800;' }]);
  });
});
