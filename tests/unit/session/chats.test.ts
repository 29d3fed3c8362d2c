import { expect, it } from 'vitest';
import type { Example } from '../../../src/data/types';
import { chatsOf, sharedSystem } from '../../../src/session/chats';

const chat = (system: string | null, row = 1): Example => ({
  ...{ row, kind: 'messages' },
  messages: [
    ...(system === null ? [] : [{ role: 'system' as const, content: system }]),
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Arr' },
  ],
});

it('a system prompt is shared only if all examples have it', () => {
  expect(sharedSystem([chat('Pirate'), chat('Pirate', 2)])).toBe('Pirate');
  expect(sharedSystem([chat('Pirate'), chat('Captain', 2)])).toBeNull();
  expect(sharedSystem([chat(null), chat('Pirate', 2)])).toBeNull();
  expect(sharedSystem([chat('Pirate'), chat(null, 2)])).toBeNull();
  expect(sharedSystem([{ row: 1, kind: 'text', text: 'Once upon a time' }])).toBeNull();
  expect(sharedSystem([])).toBeNull();
});

it('nobody knows it without the dataset', async () => {
  const host = { writeChats: async () => ({ texts: null, begin: null, ends: [], tools: false }) };
  const style = async () => ({ plainChat: true, separator: '\n' });
  const of = (examples: Parameters<typeof chatsOf>[3]) =>
    chatsOf({ tokenizer: {} as never }, host, style, examples).system();
  expect(await of(null)).toBeNull();
  expect(await of(() => Promise.reject(new Error('gone')))).toBeNull();
  expect(await of(async () => [chat('Pirate')])).toBe('Pirate');
});

it('conversations of a run whose data are gone are not written as those of other data', async () => {
  const host = { writeChats: async () => ({ texts: ['User: Hi'], begin: null, ends: ['</s>'], tools: false }) };
  const of = (style: Parameters<typeof chatsOf>[2]) => chatsOf({ tokenizer: {} as never }, host, style, null).write([]);
  expect((await of(async () => ({ plainChat: true, separator: '\n' }))).texts).toEqual(['User: Hi']);
  expect((await of(async () => null)).texts).toBeNull();
});
