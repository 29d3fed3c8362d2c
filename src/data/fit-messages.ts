/** Conversations as a template can write them: system messages that it has no place for go somewhere else. */
import type { SystemFallback } from '../recipe/sections';
import { RowRefused } from './row-refused';
import type { TemplateFacts } from './template-facts';
import type { Reception } from './template-messages';
import type { ChatMessage } from './types';

/** What was done so that a template can write a conversation. */
export type Fitting = 'system_folded' | 'system_joined' | 'system_left_out';

const together = (first: string, second: string) =>
  first.trim() === '' ? second : second.trim() === '' ? first : `${first}\n\n${second}`;

/** Throws RowRefused if the recipe wants rows left out whose system message has no place. */
export function fitMessages(
  given: readonly ChatMessage[],
  facts: Pick<TemplateFacts, 'system' | 'secondSystem' | 'laterSystem'>,
  fallback: SystemFallback,
): { messages: readonly ChatMessage[]; fittings: Fitting[] } {
  if (!given.some(({ role }) => role === 'system')) return { messages: given, fittings: [] };
  const fittings = new Set<Fitting>();
  const messages: ChatMessage[] = [];
  /** Waits for the next question. */
  let waiting: string | null = null;
  given.forEach((message, i) => {
    const { role, content } = message;
    if (role === 'user' && waiting !== null) {
      messages.push({ ...message, content: together(waiting, content) });
      waiting = null;
      return;
    }
    const place = role === 'system' ? placeOf(given, i, facts) : 'written';
    // An empty system message says nothing, but some templates refuse it.
    if (place === 'written') messages.push(message);
    else if (content.trim() === '') return;
    else if (fallback === 'leave_out_row') throw noPlace(i, place);
    else if (fallback === 'leave_out') fittings.add('system_left_out');
    else if (messages.length === 1 && messages[0]!.role === 'system') {
      messages[0] = { ...messages[0]!, content: together(messages[0]!.content, content) };
      fittings.add('system_joined');
    } else if (given.slice(i).some((later) => later.role === 'user')) {
      waiting = waiting === null ? content : together(waiting, content);
      fittings.add('system_folded');
    } else throw noPlace(i, place);
  });
  return { messages, fittings: [...fittings] };
}

/** How the template takes the system message at `i`. */
function placeOf(
  messages: readonly ChatMessage[],
  i: number,
  { system, secondSystem, laterSystem }: Pick<TemplateFacts, 'system' | 'secondSystem' | 'laterSystem'>,
): Reception {
  if (i === 0) return system;
  if (messages.slice(0, i).every(({ role }) => role === 'system')) return system === 'written' ? secondSystem : system;
  return laterSystem;
}

function noPlace(i: number, place: Reception): RowRefused {
  return new RowRefused(
    'system_refused',
    `has a system message (${i + 1}), which the chat template ${place === 'refused' ? 'refuses' : 'leaves out'}`,
    'Move its text into a question, or set dataset.system_fallback to first_question.',
  );
}
