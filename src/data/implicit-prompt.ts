/**
 * The prompt of two answers that both begin with it, found as TRL finds it: the longest beginning that they share, in whole
 * messages, or in characters of which a space before the answers goes to them.
 */
import type { ChatMessage } from './types';

const same = (a: ChatMessage | undefined, b: ChatMessage | undefined) =>
  a !== undefined &&
  b !== undefined &&
  a.role === b.role &&
  a.content.trim() === b.content.trim() &&
  (a.thoughts ?? '') === (b.thoughts ?? '');

/** Whether two answers say the same. */
export function isOfBoth(a: string | readonly ChatMessage[], b: string | readonly ChatMessage[]): boolean {
  if (typeof a === 'string' || typeof b === 'string') {
    const [x, y] = [a, b].map((turns) => (typeof turns === 'string' ? turns : (turns[0]?.content ?? '')));
    const single = [a, b].every((turns) => typeof turns === 'string' || turns.length === 1);
    return single && x!.trim() === y!.trim();
  }
  return a.length === b.length && a.every((message, i) => same(message, b[i]));
}

/** A conversation with what was asked in it, not an answer alone. */
export const startsAsked = (messages: readonly ChatMessage[]) =>
  messages.find(({ role }) => role !== 'system')?.role === 'user';

interface Parted<T> {
  prompt: T;
  chosen: T;
  rejected: T;
}

/** Null if they share nothing. Neither answer is left empty. */
export function commonText(chosen: string, rejected: string): Parted<string> | null {
  const most = Math.min(chosen.length, rejected.length);
  let at = 0;
  while (at < most && chosen[at] === rejected[at]) at++;
  // Of two answers of which one goes on, the last character is the answer, as in TRL.
  if (at === most) at--;
  else if (chosen[at - 1] === ' ') at--;
  // Half of a character is none.
  if (at > 0 && /[\uDC00-\uDFFF]/.test(chosen[at] ?? '')) at--;
  const prompt = chosen.slice(0, at);
  return at <= 0 || prompt.trim() === '' ? null : { prompt, chosen: chosen.slice(at), rejected: rejected.slice(at) };
}

/** All turns that both share; null if nothing is asked in them. */
export function commonTurns(
  chosen: readonly ChatMessage[],
  rejected: readonly ChatMessage[],
): Parted<ChatMessage[]> | null {
  const most = Math.min(chosen.length, rejected.length) - 1;
  let at = 0;
  while (at < most && same(chosen[at], rejected[at])) at++;
  const prompt = chosen.slice(0, at);
  return startsAsked(prompt) ? { prompt, chosen: chosen.slice(at), rejected: rejected.slice(at) } : null;
}

/** What comes behind the prompt, if the messages begin with it; a system message may stand in either. */
export function behindPrompt(messages: readonly ChatMessage[], prompt: readonly ChatMessage[]): ChatMessage[] {
  const wanted = prompt.filter(({ role }) => role !== 'system');
  const lead = messages[0]?.role === 'system' ? 1 : 0;
  const repeated = wanted.length > 0 && wanted.every((message, i) => same(message, messages[lead + i]));
  return repeated ? messages.slice(lead + wanted.length) : [...messages];
}

/** Text answers without the prompt, if both repeat it. */
export function withoutPrompt(prompt: string, chosen: string, rejected: string): { chosen: string; rejected: string } {
  const repeats = (text: string) => text.startsWith(prompt) && text.length > prompt.length;
  if (prompt.trim() === '' || !repeats(chosen) || !repeats(rejected)) return { chosen, rejected };
  return { chosen: chosen.slice(prompt.length), rejected: rejected.slice(prompt.length) };
}
