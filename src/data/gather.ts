/**
 * Tables of one message per row: rows of one conversation, or of one thread of a tree, become one row with a list of
 * messages. The row of a conversation is that of its first message.
 */
import { TabtuneError } from '../base/errors';
import type { ColumnSet, Mapping } from './column-set';
import type { ColumnProfile } from './columns';
import { nameList } from './problems';
import { field, numberIn, type RawRow, type RawTable } from './raw-table';
import { roleOf } from './roles';
import type { DataProblem } from './types';

export interface Gathered {
  table: RawTable;
  problems: DataProblem[];
}

/** The column of the gathered conversations. */
export const GATHERED = 'messages';

const isRole = (p: ColumnProfile) =>
  p.values !== null &&
  p.values.size >= 1 &&
  [...p.values.keys()].filter((value) => roleOf(value) !== undefined).length >= Math.max(1, p.values.size - 1);

/** Null if the rows are not messages. Throws bad_data if nothing says which messages belong together. */
export function findMessageRows(name: string, columns: ColumnSet): Mapping | null {
  const role = columns.pick('role', { where: isRole });
  if (!role || (!columns.isGiven('role') && !isRole(role))) return null;
  const content = columns.pick('content', { taken: [role.name], where: (p) => p.textual && p.turns === 0 });
  if (!content) return null;
  // A table of prompts and answers that also has a column called "user" or "author".
  if (!columns.isGiven('role') && (role.values?.size ?? 0) < 2) return null;
  const taken = [role.name, content.name];
  const parent = columns.pick('parent_id', { taken });
  const id = parent && columns.pick('message_id', { taken: [...taken, parent.name] });
  const order = columns.pick('order', { taken });
  const conversation = columns.pick('conversation', { taken, where: (p) => p.turns === 0 && !p.unique });
  const rank = columns.pick('rank', { taken });
  if (!(parent && id) && !conversation) {
    throw new TabtuneError({
      code: 'bad_data',
      message: `Each row is one message (${nameList([role.name, content.name])}), and no column says which conversation it belongs to.`,
      where: name,
      action: 'Add a column such as conversation_id with the same value in all messages of a conversation.',
    });
  }
  return {
    role: role.name,
    content: content.name,
    ...(parent && id
      ? { message_id: id.name, parent_id: parent.name, ...(rank && { rank: rank.name }) }
      : { conversation: conversation!.name, ...(order && { order: order.name }) }),
  };
}

interface Message {
  row: number;
  value: unknown;
  turn: { role: unknown; content: unknown; train?: false };
}

export function gather(table: RawTable, mapping: Mapping): Gathered {
  const messages = table.rows.map<Message>(({ row, value }) => ({
    row,
    value,
    turn: { role: field(value, mapping.role), content: field(value, mapping.content) },
  }));
  const { rows, problems } =
    mapping.parent_id === undefined ? byConversation(messages, mapping) : byThread(messages, mapping);
  return { table: { ...table, rows, totalRows: rows.length }, problems };
}

function byConversation(messages: readonly Message[], mapping: Mapping): { rows: RawRow[]; problems: DataProblem[] } {
  const conversations = new Map<unknown, Message[]>();
  const lost: Message[] = [];
  for (const message of messages) {
    const id = field(message.value, mapping.conversation);
    if (id === undefined || id === null || id === '') lost.push(message);
    else if (conversations.has(id)) conversations.get(id)!.push(message);
    else conversations.set(id, [message]);
  }
  const key = ({ value }: Message) => {
    const found = field(value, mapping.order);
    const number = numberIn(value, mapping.order);
    return Number.isFinite(number) ? number : Date.parse(String(found ?? ''));
  };
  for (const list of conversations.values()) {
    if (mapping.order !== undefined && list.every((m) => !Number.isNaN(key(m)))) list.sort((a, b) => key(a) - key(b));
  }
  const problems: DataProblem[] = lost.map(({ row }) => ({
    severity: 'error',
    code: 'no_conversation',
    row,
    message: `Row ${row} belongs to no conversation: “${mapping.conversation}” is empty.`,
    action: 'It was left out. Fill it in.',
    dropped: true,
  }));
  return { rows: [...conversations.values()].map(rowOf), problems };
}

const rowOf = (list: readonly Message[]): RawRow => ({
  row: Math.min(...list.map(({ row }) => row)),
  value: { ...(list[0]!.value as Record<string, unknown>), [GATHERED]: list.map(({ turn }) => turn) },
});

/**
 * Every thread from a first message to a last is a conversation. What several threads share is learned in the first of
 * them and context in the others. With ranks, only the best of several answers to a message is followed.
 */
function byThread(messages: readonly Message[], mapping: Mapping): { rows: RawRow[]; problems: DataProblem[] } {
  const byId = new Map(messages.map((message) => [String(field(message.value, mapping.message_id)), message]));
  const children = new Map<string, Message[]>();
  const roots: Message[] = [];
  const problems: DataProblem[] = [];
  for (const message of messages) {
    const parent = field(message.value, mapping.parent_id);
    if (parent === undefined || parent === null || parent === '') roots.push(message);
    else if (byId.has(String(parent))) children.set(String(parent), [...(children.get(String(parent)) ?? []), message]);
    else {
      problems.push({
        severity: 'error',
        code: 'no_parent',
        row: message.row,
        message: `Row ${message.row} answers a message that is not in this file.`,
        action: 'It was left out, with what follows it.',
        dropped: true,
      });
    }
  }
  // An answer that nobody ranked comes after those that are.
  const rankOf = ({ value }: Message) => {
    const rank = numberIn(value, mapping.rank);
    return Number.isNaN(rank) ? Number.POSITIVE_INFINITY : rank;
  };
  const rows: RawRow[] = [];
  const learned = new Set<Message>();
  const stack: Message[][] = roots.map((root) => [root]).reverse();
  while (stack.length > 0) {
    const thread = stack.pop()!;
    const last = thread.at(-1)!;
    let next = children.get(String(field(last.value, mapping.message_id))) ?? [];
    if (mapping.rank !== undefined && next.length > 1 && roleOf(next[0]!.turn.role) === 'assistant') {
      const best = next.reduce((a, b) => (rankOf(b) < rankOf(a) ? b : a));
      for (const worse of next) if (worse !== best) problems.push(worseRanked(worse.row));
      next = [best];
    }
    if (next.length > 0) {
      // A message cannot be its own ancestor.
      for (const child of [...next].reverse()) if (!thread.includes(child)) stack.push([...thread, child]);
      continue;
    }
    const turns = thread.map((message) => {
      const known = learned.has(message) && roleOf(message.turn.role) === 'assistant';
      learned.add(message);
      return { ...message, turn: known ? { ...message.turn, train: false as const } : message.turn };
    });
    rows.push({ ...rowOf(turns), row: last.row });
  }
  return { rows, problems };
}

const worseRanked = (row: number): DataProblem => ({
  severity: 'warning',
  code: 'unwanted_answer',
  row,
  message: `Row ${row} is ranked below another answer to the same message.`,
  action: 'It was left out, because training on it would teach a worse answer.',
  dropped: true,
});
