/**
 * Conversations in the spellings that people's files have, as a list of turns with their fields:
 *
 * - lists of {role, content}, {from, value}, {speaker, text}, {role, parts} (Gemini), {author, content} and their like;
 * - [{"human": "…", "assistant": "…"}], one object per exchange, and [["question", "answer"], …];
 * - {"from": […], "value": […]}, as Parquet files store a list of objects;
 * - ChatGPT's export, a tree of messages;
 * - any of these written out as JSON or Python text, as in CSV files;
 * - "Human: … Assistant: …" as text, where a column holds nothing else.
 */
import { readLiteral } from './literal';
import { isRecord } from './raw-table';
import { roleOf } from './roles';

export type Turn = Record<string, unknown>;

const ROLE_KEYS = ['role', 'from', 'speaker', 'author', 'sender'] as const;
const CONTENT_KEYS = ['content', 'value', 'text', 'parts', 'message', 'body', 'utterance'] as const;

/** Entries of a list of turns that are no turns: `null`, strings. Their 1-based positions. */
export function strayEntries(value: unknown): number[] {
  const list = unwrapped(value);
  if (!Array.isArray(list) || !list.some(isRecord)) return [];
  return list.flatMap((entry, i) => (isRecord(entry) ? [] : [i + 1]));
}

/** Null if the value is not a conversation. */
export function asTurns(value: unknown): Turn[] | null {
  const found = unwrapped(value);
  if (isRecord(found)) return fromTree(found) ?? fromColumns(found);
  if (!Array.isArray(found) || found.length === 0) return null;
  const pairs = fromPairs(found);
  if (pairs) return pairs;
  const turns = found.filter(isRecord);
  if (turns.length === 0 || turns.length * 2 < found.length) return null;
  const first = turns[0]!;
  if (roleKey(first) !== undefined || ('content' in first && !hasOtherText(first))) return turns;
  const exchanges = fromExchanges(turns);
  // One {input, output} may be an instance of a task; several are a conversation.
  return turns.length === 1 && exchanges && roleOf(Object.keys(first)[0]) === undefined ? null : exchanges;
}

/** A list of words and spans, or rows of any other kind, may have `content` beside other texts. */
const hasOtherText = (turn: Turn) => Object.keys(turn).length > 3;

export function unwrapped(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const read = readLiteral(value);
  return read.kind === 'value' ? read.value : null;
}

/** The field of a turn that names who speaks. */
function roleKey(turn: Turn): string | undefined {
  return (
    ROLE_KEYS.find(
      (key) =>
        key in turn &&
        CONTENT_KEYS.some((content) => content in turn || 'tool_calls' in turn || 'function_call' in turn),
    ) ?? ('role' in turn ? 'role' : 'from' in turn ? 'from' : undefined)
  );
}

export function rawRole(turn: Turn): unknown {
  const key = roleKey(turn);
  const role = key === undefined ? undefined : turn[key];
  // ChatGPT's export: {author: {role}}.
  return isRecord(role) ? role.role : role;
}

/** The field of a turn that holds its text. */
export const contentKey = (turn: Turn): string | undefined =>
  CONTENT_KEYS.find((key) => key in turn && turn[key] !== undefined && turn[key] !== null) ??
  CONTENT_KEYS.find((key) => key in turn);

/** Fields that say nothing about what is learned. */
const SILENT = new Set(
  `id uuid message_id parent_id parent children name tool_call_id type index idx turn turn_id timestamp created_at create_time update_time
  refusal audio annotations status end_turn metadata channel recipient loss weight train masked reasoning_content reasoning thinking thoughts thought
  tool_calls function_call ${[...ROLE_KEYS, ...CONTENT_KEYS].join(' ')}`.split(/\s+/),
);

/** Fields of a turn that have content and are not read. */
export function unreadFields(turn: Turn): string[] {
  const read = contentKey(turn);
  return Object.entries(turn).flatMap(([key, value]) => {
    if (value === null || value === '' || value === undefined || (Array.isArray(value) && value.length === 0))
      return [];
    const spare = (CONTENT_KEYS as readonly string[]).includes(key) && key !== read && typeof value === 'string';
    return SILENT.has(key) && !spare ? [] : [key];
  });
}

/** The last turn waits for an answer. */
export function isOpen(turns: readonly Turn[]): boolean {
  return roleOf(rawRole(turns.at(-1)!)) !== 'assistant';
}

/** Answers to a prompt that stands elsewhere. */
export function startsWithAnswer(turns: readonly Turn[]): boolean {
  return roleOf(rawRole(turns[0]!)) === 'assistant' && turns.every((turn) => roleOf(rawRole(turn)) !== 'user');
}

/** [["question", "answer"], …], as in the `history` of Alpaca files. */
function fromPairs(list: readonly unknown[]): Turn[] | null {
  const isPair = (v: unknown): v is [string, string] =>
    Array.isArray(v) && v.length === 2 && v.every((text) => typeof text === 'string');
  if (!list.every(isPair)) return null;
  return list.flatMap(([question, answer]) => [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ]);
}

const SIDES: Record<string, string> = {
  input: 'user',
  prompt: 'user',
  query: 'user',
  q: 'user',
  output: 'assistant',
  completion: 'assistant',
  reply: 'assistant',
  a: 'assistant',
};

/** [{"human": "…", "assistant": "…"}, …]: each object is a question and its answer, under the names of the roles. */
export function fromExchanges(list: readonly Turn[]): Turn[] | null {
  const turns: Turn[] = [];
  for (const entry of list) {
    const spoken = Object.entries(entry).flatMap(([key, content]) => {
      const role = roleOf(key) ?? SIDES[key.toLowerCase()];
      return role !== undefined && typeof content === 'string' ? [{ role, content }] : [];
    });
    if (spoken.length === 0 || new Set(spoken.map(({ role }) => role)).size < spoken.length) return null;
    turns.push(...spoken);
  }
  return turns.some((turn) => roleOf(turn.role) === 'assistant') ? turns : null;
}

/** {"from": ["human", "gpt"], "value": ["…", "…"]}. */
function fromColumns(value: Turn): Turn[] | null {
  const role = ROLE_KEYS.find((key) => Array.isArray(value[key]));
  const content = CONTENT_KEYS.find((key) => Array.isArray(value[key]));
  if (!role || !content) return null;
  const lists = Object.entries(value).filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
  const { length } = value[role] as unknown[];
  if (length === 0 || lists.some(([, list]) => list.length !== length)) return null;
  return Array.from({ length }, (_, i) => Object.fromEntries(lists.map(([key, list]) => [key, list[i]])));
}

/** ChatGPT's export: {id: {message, parent, children}}. The thread to the newest message is the conversation. */
function fromTree(value: Turn): Turn[] | null {
  const nodes = Object.values(value);
  if (nodes.length === 0 || !nodes.every((node) => isRecord(node) && 'parent' in node && 'message' in node))
    return null;
  const tree = value as Record<string, { message: unknown; parent: unknown; children?: unknown }>;
  const parents = new Set(nodes.map((node) => (node as Turn).parent));
  let at: unknown = Object.keys(tree).findLast((id) => !parents.has(id));
  const thread: Turn[] = [];
  const visited = new Set<unknown>();
  while (typeof at === 'string' && Object.hasOwn(tree, at) && !visited.has(at)) {
    visited.add(at);
    const { message, parent } = tree[at]!;
    if (isRecord(message)) thread.unshift(message);
    at = parent;
  }
  // Empty system messages open every export.
  return thread.filter((turn) => textOfParts(turn.content) !== '');
}

const textOfParts = (content: unknown) =>
  isRecord(content) && Array.isArray(content.parts)
    ? content.parts.filter((p) => typeof p === 'string').join('')
    : content;

const MARKER =
  /^[ \t]*(?:#{1,4}[ \t]*|\*\*|<\|?)?(human|user|question|q|prompter|customer|assistant|ai|bot|gpt|answer|a|agent|system)(?:\*\*)?(?:\|?>)?[ \t]*:(?:\*\*)?[ \t]*/gim;

/** "Human: … Assistant: …": begins with a person's turn and has an answer. */
export function isTranscript(text: string): boolean {
  const turns = transcriptTurns(text);
  return turns !== null;
}

export function transcriptTurns(text: string): Turn[] | null {
  if (text.length > 2_000_000) return null;
  const marks = [...text.matchAll(MARKER)];
  const first = marks[0];
  if (!first || marks.length < 2 || text.slice(0, first.index).trim() !== '') return null;
  const turns = marks.map((mark, i) => ({
    role:
      mark[1]!.toLowerCase() === 'q' ? 'user' : mark[1]!.toLowerCase() === 'a' ? 'assistant' : mark[1]!.toLowerCase(),
    content: text.slice(mark.index + mark[0].length, marks[i + 1]?.index ?? text.length).trim(),
  }));
  // A prompt that ends with “Assistant:” is no conversation yet.
  if (turns.at(-1)!.content === '') return null;
  const roles = turns.map((turn) => roleOf(turn.role));
  return roles.includes('assistant') && roles.includes('user') ? turns : null;
}
