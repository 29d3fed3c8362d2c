import { describe, expect, it } from 'vitest';
import type { Example, ParsedDataset, TokenizedExample } from '../../../src/data/types';
import { samplePrompts } from '../../../src/session/sample-prompts';
import { storedName } from '../../../src/session/stored-name';
import { StreamText } from '../../../src/session/stream-text';
import { turn } from '../../support/time';

describe('StreamText', () => {
  const decode = (bytes: Map<number, number[]>) => async (ids: Int32Array) =>
    new TextDecoder().decode(Uint8Array.from([...ids].flatMap((id) => bytes.get(id)!)));

  it('holds back an incomplete character', async () => {
    // é is c3 a9.
    const seen: string[] = [];
    const stream = new StreamText(
      decode(
        new Map([
          [1, [0x61]],
          [2, [0xc3]],
          [3, [0xa9]],
        ]),
      ),
      (text) => seen.push(text),
    );
    for (const id of [1, 2, 3]) {
      stream.push(id);
      await turn();
    }
    expect(await stream.finish(Int32Array.of(1, 2, 3))).toBe('aé');
    expect(seen).toEqual(['a', 'aé']);
  });

  it('decodes ids that arrive meanwhile together', async () => {
    const asked: number[] = [];
    const stream = new StreamText(
      async (ids) => {
        asked.push(ids.length);
        await turn();
        return 'x'.repeat(ids.length);
      },
      () => {},
    );
    for (let i = 0; i < 100; i++) stream.push(1);
    expect(await stream.finish(new Int32Array(100))).toHaveLength(100);
    // The first alone, the others when it was there, and the whole at the end.
    expect(asked).toEqual([1, 100, 100]);
  });

  it('reports a decoding error at the end', async () => {
    const stream = new StreamText(
      () => Promise.reject(new Error('no')),
      () => {},
    );
    stream.push(1);
    await expect(stream.finish(Int32Array.of(1))).rejects.toThrow('no');
  });
});

describe('samplePrompts', () => {
  const example = (row: number): TokenizedExample => ({
    kind: 'next_token',
    row,
    ids: new Int32Array(),
    labels: new Int32Array(),
    starts: null,
    truncatedBy: 0,
  });
  const prompts = (examples: Example[], validation: number[]) => {
    const train = examples.map(({ row }) => row).filter((row) => !validation.includes(row));
    const tokenized = { train: train.map(example), validation: validation.map(example) };
    return [...samplePrompts({ examples } as ParsedDataset, tokenized)];
  };

  it('takes held-out examples first, and each prompt once', () => {
    const examples: Example[] = [
      { kind: 'prompt_completion', row: 1, prompt: 'a', completion: 'x' },
      { kind: 'prompt_completion', row: 2, prompt: 'b', completion: 'y' },
      { kind: 'prompt_completion', row: 3, prompt: 'a', completion: 'z' },
    ];
    expect(prompts(examples, [2])).toEqual([
      { text: 'b', expected: 'y' },
      { text: 'a', expected: 'x' },
    ]);
  });

  it('takes the first user message of a conversation, with the system message before it', () => {
    const messages: Example[] = [
      {
        kind: 'messages',
        row: 1,
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Hello' },
          { role: 'user', content: 'Bye' },
        ],
      },
      { kind: 'messages', row: 2, messages: [{ role: 'assistant', content: 'Hello' }] },
    ];
    expect(prompts(messages, [])).toEqual([{ text: 'Hi', system: 'Be kind.', expected: 'Hello' }]);
  });

  it('takes the beginning of a plain text', () => {
    const text = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen';
    expect(prompts([{ kind: 'text', row: 1, text }], [])).toEqual([
      { text: 'one two three four five six seven eight' },
    ]);
    expect(prompts([{ kind: 'text', row: 1, text: 'one two' }], [])).toEqual([{ text: 'one' }]);
  });
});

describe('storedName', () => {
  it('leaves ordinary names unchanged', () => {
    expect(storedName('100% sure – Grüße.jsonl', 'x')).toBe('100% sure – Grüße.jsonl');
  });

  it('reduces a name to one safe path segment', () => {
    expect(storedName('../../etc/passwd', 'x')).toBe('passwd');
    expect(storedName('..', 'x')).toBe('x');
    expect(storedName('a\u0000b\u202e.csv', 'x')).toBe('ab.csv');
    expect(storedName(`${'a'.repeat(300)}.csv`, 'x')).toMatch(/^a{116}\.csv$/);
  });
});
