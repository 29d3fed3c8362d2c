/**
 * One row's conversation -> messages with the four roles that chat templates know. Everything that had to be changed
 * or cannot be used is said; nothing is thrown, since a bad row costs only itself.
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
  // ShareGPT's tool turns: the call is the model's own text, what comes back is not.
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
  /** Continues "Row 3 …" or stands alone. */
  message: string;
}

export interface Conversation {
  messages: ChatMessage[];
  /** Why the conversation cannot be used; then `messages` is not to be trained on. */
  failure: Note | null;
  notes: Note[];
}

const fail = (code: string, message: string): Conversation => ({ messages: [], failure: { code, message }, notes: [] });

/** `{role, content}` or `{from, value}` turns, or the JSON text of them, in one row. */
export function toMessages(value: unknown): Conversation {
  if (value === null || value === undefined || value === '') return fail('no_messages', 'has no conversation');
  const turns = asTurns(value);
  if (!turns) {
    if (Array.isArray(value) && value.length === 0) return fail('no_messages', 'has an empty conversation');
    return fail('not_messages', `holds ${kind(value)} where a list of messages should be`);
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
        `has the unknown role “${excerpt(rawRole, 30)}” in ${place}; roles are system, user, assistant and tool`,
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
    // Templates write tool calls each in their own way and want the tools' descriptions too; as text they are at
    // least learned as what the model has to say.
    const text = calls.map((call) => JSON.stringify(isRecord(call) && call.function ? call.function : call)).join('\n');
    const before = typeof value === 'string' && value !== '' ? `${value}\n` : '';
    return { text: before + text, note: 'tool_calls_as_text', message: 'has tool calls, written as JSON text,' };
  }
  if (typeof value === 'string') return { text: value, message: '' };
  if (typeof value === 'number' || typeof value === 'boolean') {
    return { text: String(value), note: 'not_text', message: `has ${kind(value)} for a text` };
  }
  if (Array.isArray(value)) {
    const parts = value.map((part) =>
      typeof part === 'string' ? part : isRecord(part) && typeof part.text === 'string' ? part.text : null,
    );
    if (parts.every((part) => part !== null)) return { text: parts.join(''), message: '' };
    return { text: '', failure: 'not_text', message: 'has a part that is not text (an image or sound?)' };
  }
  return { text: '', failure: 'not_text', message: `has ${kind(value)} for a text` };
}

/** What is wrong with the order of roles, or null. Many templates refuse these; some models are trained so anyway. */
export function roleOrderProblem(messages: readonly ChatMessage[]): string | null {
  for (const [i, { role }] of messages.entries()) {
    const before = messages[i - 1]?.role;
    if (role === 'system' && i > 0) return `has a system message at place ${i + 1}, not at the start`;
    if (role === 'user' && before === 'user') return `has two user messages in a row (${i} and ${i + 1})`;
    if (role === 'assistant' && before === 'assistant')
      return `has two assistant messages in a row (${i} and ${i + 1})`;
    if (role === 'assistant' && (before === undefined || before === 'system'))
      return 'starts with an assistant message';
  }
  return messages.at(-1)?.role === 'user' ? 'ends with a user message, which nobody answers' : null;
}

/** What a value is, in words: "a number (12)", "nothing (null)". */
export function kind(value: unknown): string {
  if (value === null) return 'nothing (null)';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') return `a number (${value})`;
  if (typeof value === 'boolean') return `a truth value (${value})`;
  return `a text (“${excerpt(String(value), 30)}”)`;
}
