/** Conversations as rows. */
import type { ChatMessage } from '../../../data/types';
import type { WrittenRow } from '../../../data/written-row';

/** Written by a pass-through template: every text is one message, and what is learned is the assistant's. */
export const PASS_THROUGH = '{% for message in messages %}{{ message.content }}{% endfor %}';

export interface RowMessage {
  role: string;
  content: string;
  /** What an assistant thinks first, under the name that most templates have for it. */
  reasoning_content?: string;
  training?: boolean;
}

export const messageRow = ({ role, content, thoughts, train }: ChatMessage): RowMessage => ({
  role,
  content,
  ...(thoughts && { reasoning_content: thoughts }),
  ...(role === 'assistant' && train === false && { training: false }),
});

/** A text in parts, alternating from the user's on, which may be empty. */
export function alternating(parts: Extract<WrittenRow, { kind: 'parts' }>['parts']): RowMessage[] {
  const messages: RowMessage[] = [];
  for (const { text, learned } of parts) {
    const last = messages.at(-1);
    const role = learned ? 'assistant' : 'user';
    if (last?.role === role) last.content += text;
    else if (messages.length === 0 && learned) messages.push({ role: 'user', content: '' }, { role, content: text });
    else messages.push({ role, content: text });
  }
  return messages;
}
