/**
 * Turns a row's conversation into messages with the four roles that chat templates support. Everything that was changed
 * or cannot be used is reported. Nothing is thrown, because a bad row affects only itself.
 */
import { asTurns } from './columns';
import { excerpt } from './problems';
import { isRecord } from './raw-table';
import type { ChatMessage } from './types';

const ROLES: Record<string, ChatMessage['role']> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  customer: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bard: 'assistant',
  bing: 'assistant',
  claude: 'assistant',
  bot: 'assistant',
  model: 'assistant',
  ai: 'assistant',
  agent: 'assistant',
  // ShareGPT's tool turns: the model writes the call, but not the result.
  function_call: 'assistant',
  tool_call: 'assistant',
  observation: 'tool',
  function_response: 'tool',
  function: 'tool',
  tool: 'tool',
  ipython: 'tool',
};

export interface Note {
  code: string;
  /** Continues "Row 3 …". */
  message: string;
}

export interface Conversation {
  messages: ChatMessage[];
  /** Why the conversation cannot be used; if set, `messages` must not be trained on. */
  failure: Note | null;
  notes: Note[];
}

const fail = (code: string, message: string): Conversation => ({ messages: [], failure: { code, message }, notes: [] });

/** Reads `{role, content}` or `{from, value}` turns, or their JSON text. */
export function toMessages(value: unknown): Conversation {
  if (value === null || value === undefined || value === '') return fail('no_messages', 'has no conversation');
  const turns = asTurns(value);
  if (!turns) {
    if (Array.isArray(value) && value.length === 0) return fail('no_messages', 'has an empty conversation');
    return fail('not_messages', `has ${kind(value)} instead of a list of messages`);
  }
  const messages: ChatMessage[] = [];
  const notes: Note[] = [];
  for (const [i, turn] of turns.entries()) {
    const place = `message ${i + 1}`;
    const rawRole = turn.role ?? turn.from;
    if (typeof rawRole !== 'string' || rawRole.trim() === '') return fail('missing_role', `has no role in ${place}`);
    const role = ROLES[rawRole.trim().toLowerCase()];
    if (!role) {
      return fail(
        'unknown_role',
        `has the unknown role “${excerpt(rawRole, 30)}” in ${place}; the roles are system, user, assistant and tool`,
      );
    }
    const content = contentOf(turn);
    if (content.failure) return fail(content.failure, `${content.message} in ${place}`);
    if (content.note) notes.push({ code: content.note, message: `${content.message} in ${place}` });
    const message: ChatMessage = { role, content: content.text };
    if (role === 'assistant' && (turn.weight === 0 || turn.train === false)) message.train = false;
    messages.push(message);
  }
  return { messages, failure: null, notes };
}

interface Content {
  text: string;
  failure?: string;
  note?: string;
  message: string;
}

function contentOf(turn: Record<string, unknown>): Content {
  const value = turn.content ?? turn.value ?? turn.text;
  const calls = turn.tool_calls;
  if (Array.isArray(calls) && calls.length > 0) {
    // Each template formats tool calls differently and also needs the tools' descriptions. As text, the calls are at
    // least learned as part of the answer.
    const text = calls.map((call) => JSON.stringify(isRecord(call) && call.function ? call.function : call)).join('\n');
    const before = typeof value === 'string' && value !== '' ? `${value}\n` : '';
    return { text: before + text, note: 'tool_calls_as_text', message: 'has tool calls' };
  }
  if (typeof value === 'string') return { text: value, message: '' };
  if (typeof value === 'number' || typeof value === 'boolean') {
    return { text: String(value), note: 'not_text', message: `has ${kind(value)} instead of text` };
  }
  if (Array.isArray(value)) {
    const parts = value.map((part) =>
      typeof part === 'string' ? part : isRecord(part) && typeof part.text === 'string' ? part.text : null,
    );
    if (parts.every((part) => part !== null)) return { text: parts.join(''), message: '' };
    return { text: '', failure: 'not_text', message: 'has content that is not text (an image or audio?)' };
  }
  return { text: '', failure: 'not_text', message: `has ${kind(value)} instead of text` };
}

/** What is wrong with the order of roles, or null. Many templates reject these orders, but some models use them. */
export function roleOrderProblem(messages: readonly ChatMessage[]): string | null {
  for (const [i, { role }] of messages.entries()) {
    const before = messages[i - 1]?.role;
    if (role === 'system' && i > 0) return `has a system message in position ${i + 1} instead of first`;
    if (role === 'user' && before === 'user') return `has two user messages in a row (${i} and ${i + 1})`;
    if (role === 'assistant' && before === 'assistant')
      return `has two assistant messages in a row (${i} and ${i + 1})`;
    if (role === 'assistant' && (before === undefined || before === 'system'))
      return 'starts with an assistant message';
  }
  return messages.at(-1)?.role === 'user' ? 'ends with a user message that has no answer' : null;
}

/** Describes a value: "a number (12)", "nothing (null)". */
export function kind(value: unknown): string {
  if (value === null) return 'nothing (null)';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') return `a number (${value})`;
  if (typeof value === 'boolean') return `a boolean (${value})`;
  return `a string (“${excerpt(String(value), 30)}”)`;
}
