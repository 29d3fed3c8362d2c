/** What stands beside a row's prompt and answer: a context, earlier turns, a system prompt. */
import { asList } from './columns';
import { readLiteral } from './literal';
import { excerpt } from './problems';
import { field } from './raw-table';
import { textOf } from './row-text';
import { type Note, textOfContent, toMessages } from './to-messages';
import type { ChatMessage } from './types';

type Row = Record<string, unknown>;

/** A conversation or list of objects that was cut off or is written wrongly must not be learned as prose. */
export function brokenConversation(value: Row, columns: readonly (string | undefined)[]): Note | null {
  for (const column of columns) {
    const found = field(value, column);
    if (typeof found !== 'string' || !/^\s*\[\s*\{\s*['"](role|from|content|value|speaker|text)['"]\s*:/.test(found))
      continue;
    const read = readLiteral(found);
    if (read.kind !== 'value') {
      const why = read.kind === 'broken' ? `: ${read.what}` : '';
      return {
        code: 'broken_list',
        message: `has a list of messages in “${excerpt(column!, 40)}” that cannot be read${why}`,
      };
    }
  }
  return null;
}

/** Context: a text, or several passages. */
export function inputOf(value: Row, column: string | undefined, notes: Note[]): { text: string; failure?: Note } {
  const list = column === undefined ? null : asList(field(value, column));
  if (list)
    return {
      text: list
        .filter((item) => item !== null && item !== '')
        .map(String)
        .join('\n\n'),
    };
  return textOf(value, column, true, notes);
}

/** Earlier turns are context: their answers are not learned. */
export function historyOf(
  value: Row,
  column: string | undefined,
  notes: Note[],
): { messages: ChatMessage[]; failure?: Note } {
  const found = field(value, column);
  if (found === undefined || found === null || found === '' || (Array.isArray(found) && found.length === 0))
    return { messages: [] };
  const earlier = toMessages(found);
  if (earlier.failure)
    return {
      messages: [],
      failure: { ...earlier.failure, message: `${earlier.failure.message} in “${excerpt(column!, 40)}”` },
    };
  notes.push(...earlier.notes);
  return { messages: earlier.messages.map((m) => (m.role === 'assistant' ? { ...m, train: false as const } : m)) };
}

export function systemOf(value: Row, column: string | undefined): string {
  const found = field(value, column);
  if (found === undefined || found === null) return '';
  const { text, failure } = textOfContent(found);
  return failure || text.trim() === '' ? '' : text;
}
