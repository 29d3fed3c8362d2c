/** The part of a message that every template writes as it is. */
import type { ChatMessage } from './types';

/** The text of a message by which it is found again. */
export function coreOf({ role, content }: ChatMessage): string {
  return (role === 'assistant' ? content.slice(afterThoughts(content)) : content).trim();
}

const THOUGHTS_END = '</think>';

/** Where what follows the thoughts in an answer begins. */
export function afterThoughts(content: string): number {
  const at = content.lastIndexOf(THOUGHTS_END);
  return at === -1 ? 0 : at + THOUGHTS_END.length;
}
