/**
 * Turns a row's conversation into messages with the four roles that chat templates support. Everything that was changed
 * or cannot be used is reported. Nothing is thrown, because a bad row affects only itself.
 */
import { excerpt } from './problems';
import { isRecord } from './raw-table';
import { roleOf } from './roles';
import {
  asTurns,
  contentKey,
  fromExchanges,
  rawRole,
  strayEntries,
  type Turn,
  transcriptTurns,
  unreadFields,
  unwrapped,
} from './turns';
import type { ChatMessage } from './types';

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
  /** Fields of its messages that have content and are not read. */
  unread: string[];
}

const fail = (code: string, message: string): Conversation => ({
  messages: [],
  failure: { code, message },
  notes: [],
  unread: [],
});

/** Reads turns in any spelling that turns.ts knows; `transcript`: also "Human: … Assistant: …" as text. */
export function toMessages(value: unknown, transcript = false): Conversation {
  if (value === null || value === undefined || value === '') return fail('no_messages', 'has no conversation');
  if (Array.isArray(value) && value.length === 0) return fail('no_messages', 'has an empty conversation');
  const several = severalConversations(value);
  if (several) {
    const first = toMessages(several[0], transcript);
    const note = { code: 'more_answers', message: `has ${several.length} conversations` };
    return { ...first, notes: [note, ...first.notes] };
  }
  // A conversation that is written out as text is parsed once.
  const read = unwrapped(value) ?? value;
  const turns =
    asTurns(read) ??
    (Array.isArray(read) && read.every(isRecord) ? fromExchanges(read) : null) ??
    (transcript && typeof value === 'string' ? transcriptTurns(value) : null);
  if (!turns) return fail('not_messages', `has ${kind(value)} instead of a list of messages`);
  const messages: ChatMessage[] = [];
  const notes: Note[] = [];
  const unread = new Set<string>();
  const stray = strayEntries(read);
  if (stray.length > 0) {
    notes.push({
      code: 'skipped_turn',
      message: `has ${stray.length === 1 ? 'an entry that is no message' : 'entries that are no messages'} (${stray.slice(0, 5).join(', ')})`,
    });
  }
  for (const [i, turn] of turns.entries()) {
    const place = `message ${i + 1}`;
    const given = rawRole(turn);
    if (typeof given !== 'string' || given.trim() === '') return fail('missing_role', `has no role in ${place}`);
    const role = roleOf(given);
    if (!role) {
      return fail(
        'unknown_role',
        `has the unknown role “${excerpt(given, 30)}” in ${place}; the roles are system, user, assistant and tool`,
      );
    }
    const content = contentOf(turn);
    if (content.failure) return fail(content.failure, `${content.message} in ${place}`);
    if (content.note) notes.push({ code: content.note, message: `${content.message} in ${place}` });
    const message: ChatMessage = { role, content: content.text };
    if (role === 'assistant') {
      const thoughts = content.thoughts ?? thoughtsOf(turn);
      if (thoughts !== '') message.thoughts = thoughts;
      if (isMuted(turn)) message.train = false;
      else if (typeof turn.weight === 'number' && turn.weight !== 1) {
        notes.push({ code: 'partial_weight', message: `has the weight ${turn.weight} in ${place}` });
      }
    }
    for (const name of unreadFields(turn)) unread.add(name);
    messages.push(message);
  }
  return { messages, failure: null, notes, unread: [...unread] };
}

/** A list of conversations where one is expected: alternatives, of which the first is used. */
function severalConversations(value: unknown): unknown[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  return value.every((item) => Array.isArray(item) && item.some(isRecord) && asTurns(item) !== null) ? value : null;
}

/** OpenAI's `weight: 0`, AgentInstruct's `loss: false`, Axolotl's `train: false`. */
function isMuted({ weight, train, loss, masked }: Turn): boolean {
  const off = (flag: unknown) =>
    flag === false || flag === 0 || (typeof flag === 'string' && /^(false|0|no)$/i.test(flag));
  return off(weight) || off(train) || off(loss) || masked === true;
}

function thoughtsOf({ reasoning_content, reasoning, thinking, thoughts, thought }: Turn): string {
  for (const value of [reasoning_content, reasoning, thinking, thoughts, thought]) {
    if (typeof value === 'string' && value.trim() !== '') return value;
  }
  return '';
}

interface Content {
  text: string;
  thoughts?: string;
  failure?: string;
  note?: string;
  message: string;
}

function contentOf(turn: Turn): Content {
  const value = turn[contentKey(turn) ?? 'content'];
  const calls = [
    ...(Array.isArray(turn.tool_calls) ? turn.tool_calls : []),
    ...(isRecord(turn.function_call) ? [turn.function_call] : []),
  ];
  if (calls.length > 0) {
    // Each template formats tool calls differently and also needs the tools' descriptions. As text, the calls are at
    // least learned as part of the answer.
    const text = calls.map((call) => JSON.stringify(isRecord(call) && call.function ? call.function : call)).join('\n');
    const before = typeof value === 'string' && value !== '' ? `${value}\n` : '';
    return { text: before + text, note: 'tool_calls_as_text', message: 'has tool calls' };
  }
  return textOfContent(value);
}

/** A message's text: a string, a list of parts, or an object with parts. */
export function textOfContent(value: unknown): Content {
  if (typeof value === 'string') return { text: value, message: '' };
  if (typeof value === 'number' || typeof value === 'boolean') {
    return { text: String(value), note: 'not_text', message: `has ${kind(value)} instead of text` };
  }
  if (isRecord(value)) {
    if (Array.isArray(value.parts)) return textOfContent(value.parts);
    if (typeof value.text === 'string' && Object.keys(value).every((key) => /^(text|type|annotations)$/.test(key))) {
      return { text: value.text, message: '' };
    }
    return { text: JSON.stringify(value), note: 'object_as_text', message: 'has an object instead of text' };
  }
  if (Array.isArray(value)) {
    let thoughts: string | undefined;
    const parts = value.map((part) => {
      if (typeof part === 'string') return part;
      if (!isRecord(part)) return null;
      if (typeof part.thinking === 'string' || part.thought === true) {
        thoughts = `${thoughts ?? ''}${part.thinking ?? part.text ?? ''}`;
        return '';
      }
      return typeof part.text === 'string' ? part.text : null;
    });
    if (parts.every((part) => part !== null))
      return { text: parts.join(''), message: '', ...(thoughts && { thoughts }) };
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
